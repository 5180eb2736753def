;; Products of one vector with many, 16 numbers at a time. scripts/build-wasm.mjs assembles this file into multiply-bytes.wasm.ts.
(module
  (memory (import "vectors" "memory") 1)

  ;; The product of the int16 numbers at $query with the int8 numbers at $entry, at $entry + $stride ..., $count of them, each as an int32 at
  ;; $out. Of each vector $dimensions numbers are read, rounded up to 16: the query has zeros there, and what it meets may be anything.
  (func (export "multiply")
    (param $query i32) (param $entry i32) (param $stride i32) (param $count i32) (param $dimensions i32) (param $out i32)
    (local $end i32) (local $place i32) (local $factor i32) (local $last i32) (local $numbers v128) (local $sum v128)
    (local.set $end (i32.add (local.get $out) (i32.shl (local.get $count) (i32.const 2))))
    (block $done
      (br_if $done (i32.ge_u (local.get $out) (local.get $end)))
      (loop $next
        (local.set $sum (v128.const i32x4 0 0 0 0))
        (local.set $place (local.get $entry))
        (local.set $factor (local.get $query))
        (local.set $last (i32.add (local.get $entry) (local.get $dimensions)))
        (loop $more
          (local.set $numbers (v128.load align=1 (local.get $place)))
          (local.set $sum
            (i32x4.add
              (local.get $sum)
              (i32x4.add
                (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_s (local.get $numbers)) (v128.load (local.get $factor)))
                (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_s (local.get $numbers)) (v128.load offset=16 (local.get $factor))))))
          (local.set $place (i32.add (local.get $place) (i32.const 16)))
          (local.set $factor (i32.add (local.get $factor) (i32.const 32)))
          (br_if $more (i32.lt_u (local.get $place) (local.get $last))))
        (i32.store
          (local.get $out)
          (i32.add
            (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
            (i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum)))))
        (local.set $entry (i32.add (local.get $entry) (local.get $stride)))
        (local.set $out (i32.add (local.get $out) (i32.const 4)))
        (br_if $next (i32.lt_u (local.get $out) (local.get $end)))))))
