;; Adafactor's three passes over a matrix of $rows by $columns in one memory, four elements at a time and the last ones of a row singly.
;; Addresses in bytes, sizes in elements. scripts/build-wasm.mjs assembles this file into adafactor.wasm.ts.
(module
  (memory (import "parameters" "memory") 1 65536 shared)

  ;; rowSums[i] = sum over j of g[i,j]^2, and columnSums[j] += sum over i of g[i,j]^2.
  (func (export "sumSquares") (param $g i32) (param $rows i32) (param $columns i32) (param $rowSums i32) (param $columnSums i32)
    (local $c i32) (local $wideEnd i32) (local $end i32) (local $sums v128) (local $squares v128) (local $sum f32) (local $square f32)
    (local.set $wideEnd (i32.add (local.get $columnSums) (i32.shl (i32.and (local.get $columns) (i32.const -4)) (i32.const 2))))
    (local.set $end (i32.add (local.get $columnSums) (i32.shl (local.get $columns) (i32.const 2))))
    (block $done
      (loop $nextRow
        (br_if $done (i32.eqz (local.get $rows)))
        (local.set $c (local.get $columnSums))
        (local.set $sums (v128.const f32x4 0 0 0 0))
        (block $wideDone
          (loop $nextFour
            (br_if $wideDone (i32.ge_u (local.get $c) (local.get $wideEnd)))
            (local.set $squares (f32x4.mul (v128.load (local.get $g)) (v128.load (local.get $g))))
            (local.set $sums (f32x4.add (local.get $sums) (local.get $squares)))
            (v128.store (local.get $c) (f32x4.add (v128.load (local.get $c)) (local.get $squares)))
            (local.set $g (i32.add (local.get $g) (i32.const 16)))
            (local.set $c (i32.add (local.get $c) (i32.const 16)))
            (br $nextFour)))
        (local.set $sum
          (f32.add
            (f32.add (f32x4.extract_lane 0 (local.get $sums)) (f32x4.extract_lane 1 (local.get $sums)))
            (f32.add (f32x4.extract_lane 2 (local.get $sums)) (f32x4.extract_lane 3 (local.get $sums)))))
        (block $rowDone
          (loop $nextOne
            (br_if $rowDone (i32.ge_u (local.get $c) (local.get $end)))
            (local.set $square (f32.mul (f32.load (local.get $g)) (f32.load (local.get $g))))
            (local.set $sum (f32.add (local.get $sum) (local.get $square)))
            (f32.store (local.get $c) (f32.add (f32.load (local.get $c)) (local.get $square)))
            (local.set $g (i32.add (local.get $g) (i32.const 4)))
            (local.set $c (i32.add (local.get $c) (i32.const 4)))
            (br $nextOne)))
        (f32.store (local.get $rowSums) (local.get $sum))
        (local.set $rowSums (i32.add (local.get $rowSums) (i32.const 4)))
        (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
        (br $nextRow))))

  ;; The sum over all i and j of (g[i,j] rowFactors[i] columnFactors[j])^2: of a row in single precision, of the rows in double.
  (func (export "sumScaledSquares")
    (param $g i32) (param $rows i32) (param $columns i32) (param $rowFactors i32) (param $columnFactors i32) (result f64)
    (local $c i32) (local $wideEnd i32) (local $end i32) (local $sums v128) (local $x v128) (local $sum f32) (local $one f32)
    (local $factor f64) (local $total f64)
    (local.set $wideEnd (i32.add (local.get $columnFactors) (i32.shl (i32.and (local.get $columns) (i32.const -4)) (i32.const 2))))
    (local.set $end (i32.add (local.get $columnFactors) (i32.shl (local.get $columns) (i32.const 2))))
    (block $done
      (loop $nextRow
        (br_if $done (i32.eqz (local.get $rows)))
        (local.set $c (local.get $columnFactors))
        (local.set $sums (v128.const f32x4 0 0 0 0))
        (block $wideDone
          (loop $nextFour
            (br_if $wideDone (i32.ge_u (local.get $c) (local.get $wideEnd)))
            (local.set $x (f32x4.mul (v128.load (local.get $g)) (v128.load (local.get $c))))
            (local.set $sums (f32x4.add (local.get $sums) (f32x4.mul (local.get $x) (local.get $x))))
            (local.set $g (i32.add (local.get $g) (i32.const 16)))
            (local.set $c (i32.add (local.get $c) (i32.const 16)))
            (br $nextFour)))
        (local.set $sum
          (f32.add
            (f32.add (f32x4.extract_lane 0 (local.get $sums)) (f32x4.extract_lane 1 (local.get $sums)))
            (f32.add (f32x4.extract_lane 2 (local.get $sums)) (f32x4.extract_lane 3 (local.get $sums)))))
        (block $rowDone
          (loop $nextOne
            (br_if $rowDone (i32.ge_u (local.get $c) (local.get $end)))
            (local.set $one (f32.mul (f32.load (local.get $g)) (f32.load (local.get $c))))
            (local.set $sum (f32.add (local.get $sum) (f32.mul (local.get $one) (local.get $one))))
            (local.set $g (i32.add (local.get $g) (i32.const 4)))
            (local.set $c (i32.add (local.get $c) (i32.const 4)))
            (br $nextOne)))
        (local.set $factor (f64.promote_f32 (f32.load (local.get $rowFactors))))
        (local.set $total
          (f64.add
            (local.get $total)
            (f64.mul (f64.mul (local.get $factor) (local.get $factor)) (f64.promote_f32 (local.get $sum)))))
        (local.set $rowFactors (i32.add (local.get $rowFactors) (i32.const 4)))
        (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
        (br $nextRow)))
    (local.get $total))

  ;; p[i,j] = p[i,j] $keep - g[i,j] rowFactors[i] columnFactors[j] $scale
  (func (export "applyScaled")
    (param $p i32) (param $g i32) (param $rows i32) (param $columns i32) (param $rowFactors i32) (param $columnFactors i32)
    (param $keep f32) (param $scale f32)
    (local $c i32) (local $wideEnd i32) (local $end i32) (local $factor f32)
    (local.set $wideEnd (i32.add (local.get $columnFactors) (i32.shl (i32.and (local.get $columns) (i32.const -4)) (i32.const 2))))
    (local.set $end (i32.add (local.get $columnFactors) (i32.shl (local.get $columns) (i32.const 2))))
    (block $done
      (loop $nextRow
        (br_if $done (i32.eqz (local.get $rows)))
        (local.set $c (local.get $columnFactors))
        (local.set $factor (f32.mul (f32.load (local.get $rowFactors)) (local.get $scale)))
        (block $wideDone
          (loop $nextFour
            (br_if $wideDone (i32.ge_u (local.get $c) (local.get $wideEnd)))
            (v128.store (local.get $p)
              (f32x4.sub
                (f32x4.mul (v128.load (local.get $p)) (f32x4.splat (local.get $keep)))
                (f32x4.mul
                  (f32x4.mul (v128.load (local.get $g)) (v128.load (local.get $c)))
                  (f32x4.splat (local.get $factor)))))
            (local.set $p (i32.add (local.get $p) (i32.const 16)))
            (local.set $g (i32.add (local.get $g) (i32.const 16)))
            (local.set $c (i32.add (local.get $c) (i32.const 16)))
            (br $nextFour)))
        (block $rowDone
          (loop $nextOne
            (br_if $rowDone (i32.ge_u (local.get $c) (local.get $end)))
            (f32.store (local.get $p)
              (f32.sub
                (f32.mul (f32.load (local.get $p)) (local.get $keep))
                (f32.mul (f32.mul (f32.load (local.get $g)) (f32.load (local.get $c))) (local.get $factor))))
            (local.set $p (i32.add (local.get $p) (i32.const 4)))
            (local.set $g (i32.add (local.get $g) (i32.const 4)))
            (local.set $c (i32.add (local.get $c) (i32.const 4)))
            (br $nextOne)))
        (local.set $rowFactors (i32.add (local.get $rowFactors) (i32.const 4)))
        (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
        (br $nextRow)))))
