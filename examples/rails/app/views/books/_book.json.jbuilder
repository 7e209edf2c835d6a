json.extract! book, :id, :title, :genre, :published_on, :pages, :price_cents, :reviews_count
json.author book.author, :id, :name
json.url book_url(book, format: :json)
