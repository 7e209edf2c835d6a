json.total @page.total
json.page @page.number
json.pages @page.last
json.books @page.records, partial: "books/book", as: :book
