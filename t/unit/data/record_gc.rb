# Writes what t/unit/gc.c replays: requests of some kinds, and what Ruby's
# collector said after each, until Ruby collects by itself.
#
#   ruby t/unit/data/record_gc.rb >t/unit/data/gc-3.1
#
# A line is B (right after a collection), S (after a request) or G (a
# collection came inside it), then: count allocated live malloc limit shared,
# and for each pool: slot made room.

POOLS = GC.respond_to?(:stat_heap) ? GC.stat_heap.size : 0
POOLED = POOLS.positive? && GC.stat_heap(0).key?(:total_allocated_objects)

def pool(number)
  heap = GC.stat_heap(number)
  room = heap[:heap_eden_slots] - (heap[:total_allocated_objects] - heap[:total_freed_objects])
  room += (heap[:heap_allocatable_pages] || 0) * (65_536 / heap[:slot_size])
  room += [10_000 - heap[:heap_eden_slots], 0].max if GC.stat.key?(:heap_allocatable_slots)
  [heap[:slot_size], heap[:total_allocated_objects], [room, 0].max]
end

def sample(kind)
  stat = GC.stat
  pools =
    if POOLED then Array.new(POOLS) { |i| pool(i) }
    else [[40, stat[:total_allocated_objects], stat[:heap_free_slots] + stat[:heap_allocatable_pages] * 408]]
    end
  shared = (stat[:heap_allocatable_slots] || 0) + (stat[:heap_empty_pages] || 0) * 400
  [kind, stat[:count], stat[:total_allocated_objects], stat[:heap_live_slots], stat[:malloc_increase_bytes],
   stat[:malloc_increase_bytes_limit], shared, pools.size, *pools.flatten].join(" ")
end

KINDS = [
  ->(n) { n.times { Object.new } },                     # the smallest slots
  ->(n) { (n / 20).times { Array.new(17, 1) } },        # 160 bytes, from 3.2 on
  ->(n) { (n / 40).times { Array.new(37, 1) } },        # 320
  ->(n) { (n / 50).times { |i| "#{i}" + "y" * 2000 } }, # malloc
  ->(n) { n.times { |i| [i, i + 1, i + 2, "text #{i}"] } }
].freeze

keep = Array.new(60_000) { |i| [i, "some text #{i}" * 3] }
lines = []
KINDS.each do |kind|
  # As many requests as make a dozen or two lines until Ruby collects.
  [8_000, 16_000, 32_000].each do |size|
    GC.start
    count = GC.count
    found = [sample("B")]
    while found.size < 40 && GC.count == count
      kind.call(size)
      found << sample(GC.count == count ? "S" : "G")
    end
    next unless found.size.between?(8, 30) && found.last.start_with?("G")

    lines.concat(found)
    break
  end
end
puts "# #{RUBY_DESCRIPTION}, #{keep.size} arrays kept"
puts lines
