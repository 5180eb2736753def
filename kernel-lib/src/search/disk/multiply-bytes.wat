;; Products of vectors in 16-bit numbers with many in 8-bit numbers, 16 numbers at a time. scripts/build-wasm.mjs assembles this file into
;; multiply-bytes.wasm.ts. Of each vector $dimensions numbers are read, rounded up to 16: queries have zeros there, and what they meet may be anything.
(module
  (memory (import "vectors" "memory") 1)

  ;; The product of the int16 numbers at $query with the int8 numbers at $entry, at $entry + $stride ..., $count of them, each as an int32 at $out.
  (func (export "multiply")
    (param $query i32) (param $entry i32) (param $stride i32) (param $count i32) (param $dimensions i32) (param $out i32)
    (local $end i32) (local $place i32) (local $factor i32) (local $last i32) (local $sum v128) (local $other v128)
    (local.set $end (i32.add (local.get $out) (i32.shl (local.get $count) (i32.const 2))))
    (block $done
      (br_if $done (i32.ge_u (local.get $out) (local.get $end)))
      (loop $next
        (local.set $sum (v128.const i32x4 0 0 0 0))
        (local.set $other (v128.const i32x4 0 0 0 0))
        (local.set $place (local.get $entry))
        (local.set $factor (local.get $query))
        (local.set $last (i32.add (local.get $entry) (local.get $dimensions)))
        (loop $more
          (local.set $sum
            (i32x4.add (local.get $sum) (i32x4.dot_i16x8_s (v128.load8x8_s (local.get $place)) (v128.load (local.get $factor)))))
          (local.set $other
            (i32x4.add
              (local.get $other)
              (i32x4.dot_i16x8_s (v128.load8x8_s offset=8 (local.get $place)) (v128.load offset=16 (local.get $factor)))))
          (local.set $place (i32.add (local.get $place) (i32.const 16)))
          (local.set $factor (i32.add (local.get $factor) (i32.const 32)))
          (br_if $more (i32.lt_u (local.get $place) (local.get $last))))
        (i32.store (local.get $out) (call $add (i32x4.add (local.get $sum) (local.get $other))))
        (local.set $entry (i32.add (local.get $entry) (local.get $stride)))
        (local.set $out (i32.add (local.get $out) (i32.const 4)))
        (br_if $next (i32.lt_u (local.get $out) (local.get $end))))))

  ;; For each of four queries the number of the entry, of $count, that it has the largest product with, as an int32 at $out. The queries lie 16
  ;; numbers of the first, of the second, of the third, of the fourth, then the next 16 of each; before each entry's numbers is the size of its
  ;; step (float32).
  (func (export "findNearest")
    (param $queries i32) (param $entry i32) (param $stride i32) (param $count i32) (param $dimensions i32) (param $out i32)
    (local $number i32) (local $place i32) (local $factor i32) (local $last i32) (local $low v128) (local $high v128)
    (local $sum0 v128) (local $sum1 v128) (local $sum2 v128) (local $sum3 v128)
    (local $scores v128) (local $best v128) (local $numbers v128) (local $isBetter v128)
    (local.set $best (f32x4.splat (f32.const -inf)))
    (block $done
      (br_if $done (i32.eqz (local.get $count)))
      (loop $next
        (local.set $sum0 (v128.const i32x4 0 0 0 0))
        (local.set $sum1 (v128.const i32x4 0 0 0 0))
        (local.set $sum2 (v128.const i32x4 0 0 0 0))
        (local.set $sum3 (v128.const i32x4 0 0 0 0))
        (local.set $place (local.get $entry))
        (local.set $factor (local.get $queries))
        (local.set $last (i32.add (local.get $entry) (local.get $dimensions)))
        (loop $more
          (local.set $low (v128.load8x8_s (local.get $place)))
          (local.set $high (v128.load8x8_s offset=8 (local.get $place)))
          (local.set $sum0
            (i32x4.add
              (local.get $sum0)
              (i32x4.add
                (i32x4.dot_i16x8_s (local.get $low) (v128.load (local.get $factor)))
                (i32x4.dot_i16x8_s (local.get $high) (v128.load offset=16 (local.get $factor))))))
          (local.set $sum1
            (i32x4.add
              (local.get $sum1)
              (i32x4.add
                (i32x4.dot_i16x8_s (local.get $low) (v128.load offset=32 (local.get $factor)))
                (i32x4.dot_i16x8_s (local.get $high) (v128.load offset=48 (local.get $factor))))))
          (local.set $sum2
            (i32x4.add
              (local.get $sum2)
              (i32x4.add
                (i32x4.dot_i16x8_s (local.get $low) (v128.load offset=64 (local.get $factor)))
                (i32x4.dot_i16x8_s (local.get $high) (v128.load offset=80 (local.get $factor))))))
          (local.set $sum3
            (i32x4.add
              (local.get $sum3)
              (i32x4.add
                (i32x4.dot_i16x8_s (local.get $low) (v128.load offset=96 (local.get $factor)))
                (i32x4.dot_i16x8_s (local.get $high) (v128.load offset=112 (local.get $factor))))))
          (local.set $place (i32.add (local.get $place) (i32.const 16)))
          (local.set $factor (i32.add (local.get $factor) (i32.const 128)))
          (br_if $more (i32.lt_u (local.get $place) (local.get $last))))
        ;; Four sums of four become one vector of four: the halves of two sums side by side are added, then those of the results.
        (local.set $scores
          (f32x4.mul
            (f32x4.convert_i32x4_s (call $addEach (local.get $sum0) (local.get $sum1) (local.get $sum2) (local.get $sum3)))
            (v128.load32_splat (i32.sub (local.get $entry) (i32.const 4)))))
        (local.set $isBetter (f32x4.gt (local.get $scores) (local.get $best)))
        (local.set $best (f32x4.pmax (local.get $best) (local.get $scores)))
        (local.set $numbers (v128.bitselect (i32x4.splat (local.get $number)) (local.get $numbers) (local.get $isBetter)))
        (local.set $entry (i32.add (local.get $entry) (local.get $stride)))
        (local.set $number (i32.add (local.get $number) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $number) (local.get $count)))))
    (v128.store (local.get $out) (local.get $numbers)))

  (func $add (param $sum v128) (result i32)
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
      (i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum)))))

  ;; The sum of each, side by side.
  (func $addEach (param $a v128) (param $b v128) (param $c v128) (param $d v128) (result v128)
    (local $ab v128) (local $cd v128)
    (local.set $ab
      (i32x4.add
        (i8x16.shuffle 0 1 2 3 16 17 18 19 8 9 10 11 24 25 26 27 (local.get $a) (local.get $b))
        (i8x16.shuffle 4 5 6 7 20 21 22 23 12 13 14 15 28 29 30 31 (local.get $a) (local.get $b))))
    (local.set $cd
      (i32x4.add
        (i8x16.shuffle 0 1 2 3 16 17 18 19 8 9 10 11 24 25 26 27 (local.get $c) (local.get $d))
        (i8x16.shuffle 4 5 6 7 20 21 22 23 12 13 14 15 28 29 30 31 (local.get $c) (local.get $d))))
    (i32x4.add
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd))
      (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd)))))
