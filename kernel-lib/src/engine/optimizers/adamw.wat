;; One pass over parameters, gradients and moments in one memory, four elements at a time. All regions start at multiples of 64 bytes and
;; are padded with zeros to them. scripts/build-wasm.mjs assembles this file into adamw.wasm.ts.
(module
  (memory (import "parameters" "memory") 1 65536 shared)

  ;; AdamW as PyTorch computes it, for the elements from $p to $end:
  ;;   m = beta1 m + (1 - beta1) g        v = beta2 v + (1 - beta2) g g        with g = gradient $scale
  ;;   p = p $keep - $step m / (sqrt(v) $correction + $epsilon)
  ;; Moments far below anything that moves a parameter are rounded away (x + 1e-25 - 1e-25): left to fade they would end as denormal numbers,
  ;; which some processors are a hundred times slower with.
  (func (export "adamw")
    (param $p i32) (param $g i32) (param $m i32) (param $v i32) (param $end i32)
    (param $beta1 f32) (param $rest1 f32) (param $beta2 f32) (param $rest2 f32)
    (param $step f32) (param $correction f32) (param $epsilon f32) (param $keep f32) (param $scale f32)
    (local $gradient v128) (local $first v128) (local $second v128) (local $tiny v128)
    (local.set $tiny (f32x4.splat (f32.const 1e-25)))
    (block $done
      (br_if $done (i32.ge_u (local.get $p) (local.get $end)))
      (loop $next
        (local.set $gradient (f32x4.mul (v128.load (local.get $g)) (f32x4.splat (local.get $scale))))
        (local.set $first
          (f32x4.add
            (f32x4.mul (v128.load (local.get $m)) (f32x4.splat (local.get $beta1)))
            (f32x4.mul (local.get $gradient) (f32x4.splat (local.get $rest1)))))
        (local.set $second
          (f32x4.add
            (f32x4.mul (v128.load (local.get $v)) (f32x4.splat (local.get $beta2)))
            (f32x4.mul (f32x4.mul (local.get $gradient) (local.get $gradient)) (f32x4.splat (local.get $rest2)))))
        (local.set $first (f32x4.sub (f32x4.add (local.get $first) (local.get $tiny)) (local.get $tiny)))
        (local.set $second (f32x4.sub (f32x4.add (local.get $second) (local.get $tiny)) (local.get $tiny)))
        (v128.store (local.get $m) (local.get $first))
        (v128.store (local.get $v) (local.get $second))
        (v128.store (local.get $p)
          (f32x4.sub
            (f32x4.mul (v128.load (local.get $p)) (f32x4.splat (local.get $keep)))
            (f32x4.div
              (f32x4.mul (local.get $first) (f32x4.splat (local.get $step)))
              (f32x4.add
                (f32x4.mul (f32x4.sqrt (local.get $second)) (f32x4.splat (local.get $correction)))
                (f32x4.splat (local.get $epsilon))))))
        (local.set $p (i32.add (local.get $p) (i32.const 16)))
        (local.set $g (i32.add (local.get $g) (i32.const 16)))
        (local.set $m (i32.add (local.get $m) (i32.const 16)))
        (local.set $v (i32.add (local.get $v) (i32.const 16)))
        (br_if $next (i32.lt_u (local.get $p) (local.get $end))))))

  ;; The sum of squares of the elements from $g to $end: of sixteen at a time in single precision, of those in double. Regions are multiples
  ;; of 64 bytes.
  (func (export "sumOfSquares") (param $g i32) (param $end i32) (result f64)
    (local $x v128) (local $part v128) (local $low v128) (local $high v128)
    (block $done
      (br_if $done (i32.ge_u (local.get $g) (local.get $end)))
      (loop $next
        (local.set $x (v128.load (local.get $g)))
        (local.set $part (f32x4.mul (local.get $x) (local.get $x)))
        (local.set $x (v128.load offset=16 (local.get $g)))
        (local.set $part (f32x4.add (local.get $part) (f32x4.mul (local.get $x) (local.get $x))))
        (local.set $x (v128.load offset=32 (local.get $g)))
        (local.set $part (f32x4.add (local.get $part) (f32x4.mul (local.get $x) (local.get $x))))
        (local.set $x (v128.load offset=48 (local.get $g)))
        (local.set $part (f32x4.add (local.get $part) (f32x4.mul (local.get $x) (local.get $x))))
        (local.set $low (f64x2.add (local.get $low) (f64x2.promote_low_f32x4 (local.get $part))))
        (local.set $part (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $part) (local.get $part)))
        (local.set $high (f64x2.add (local.get $high) (f64x2.promote_low_f32x4 (local.get $part))))
        (local.set $g (i32.add (local.get $g) (i32.const 64)))
        (br_if $next (i32.lt_u (local.get $g) (local.get $end)))))
    (local.set $low (f64x2.add (local.get $low) (local.get $high)))
    (f64.add (f64x2.extract_lane 0 (local.get $low)) (f64x2.extract_lane 1 (local.get $low)))))
