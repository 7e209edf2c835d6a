# A shop full of books, the same at every run. Run again, it does nothing.
return if Author.exists?

random = Random.new(7)
words = %w[
  amber ash autumn bell bird book bread bridge candle cloud coast copper dawn door dust ember field fire fog forest
  garden glass gold harbour heart hill honey house ink iron island ivory lamp lantern letter light map memory mirror
  moon mountain night north ocean orchard paper path pearl piano rain river road salt sea shadow silence silver sky
  snow song star stone storm summer thread tide tower train tree valley water wind window winter wolf wood
]
names = %w[Ada Bela Cora Dario Edith Fynn Greta Hugo Ines Jaro Kira Lev Mina Nils Olga Pia Quint Rosa Sven Thea]
surnames = %w[Abel Brandt Costa Dahl Eklund Ferrer Gruber Hansen Ivers Jansen Keller Lund Moreau Novak Olsen Petri]
countries = %w[Austria Chile Denmark Estonia France Ghana India Japan Kenya Norway Peru Poland Spain Vietnam]

sentence = ->(length) { Array.new(length) { words.sample(random: random) }.join(" ").capitalize + "." }
text = ->(sentences) { Array.new(sentences) { sentence.(8 + random.rand(9)) }.join(" ") }
epoch = Time.utc(2024, 9, 1)
stamps = ->(days) { (epoch - days.days - random.rand(86_400)).then { |at| { created_at: at, updated_at: at } } }
insert = ->(model, rows) { rows.each_slice(500) { |some| model.insert_all!(some) } }

ActiveRecord::Base.transaction do
  insert.(Author, (1..200).map do |id|
    { id: id, name: "#{names.sample(random: random)} #{surnames.sample(random: random)}",
      country: countries.sample(random: random), born_on: Date.new(1900 + random.rand(95), 1 + random.rand(12), 1),
      bio: text.(4), **stamps.(900) }
  end)

  # A cheap digest, so that a test may log in often.
  digest = BCrypt::Password.create("correct horse", cost: BCrypt::Engine::MIN_COST)
  insert.(User, (1..100).map do |id|
    { id: id, name: "#{names.sample(random: random)} #{surnames.sample(random: random)}",
      email: "reader#{id}@example.org", password_digest: digest, **stamps.(800) }
  end)

  insert.(Book, (1..2_500).map do |id|
    { id: id, author_id: 1 + random.rand(200), title: "The #{sentence.(2 + random.rand(3)).delete('.')}",
      genre: Book::GENRES.sample(random: random), published_on: Date.new(1950, 1, 1) + random.rand(26_000),
      pages: 60 + random.rand(900), price_cents: 399 + 50 * random.rand(80), blurb: text.(5), **stamps.(700) }
  end)

  insert.(Review, (1..6_000).map do |id|
    { id: id, book_id: 1 + random.rand(2_500), user_id: 1 + random.rand(100), rating: 1 + random.rand(5),
      body: text.(2), **stamps.(random.rand(700)) }
  end)

  Book.update_all("reviews_count = (SELECT count(*) FROM reviews WHERE reviews.book_id = books.id)")
end

# Rows with a given id leave PostgreSQL's counters behind.
ActiveRecord::Base.connection.then do |connection|
  %w[authors users books reviews].each { |table| connection.reset_pk_sequence!(table) } if connection.respond_to?(:reset_pk_sequence!)
end
