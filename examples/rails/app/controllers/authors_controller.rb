class AuthorsController < ApplicationController
  def index
    @page = Page.new(Author.by_name, params[:page])
    @books_by_author = Book.where(author: @page.records).group(:author_id).count
  end

  def show
    @author = Author.find(params[:id])
    @books = @author.books.sorted("newest")
  end
end
