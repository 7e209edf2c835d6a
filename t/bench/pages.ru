# The bookshop, several of its pages for each request: one after the other, or
# (BENCH_THREADS) in as many threads inside the application, each with its own
# share of malloc's arenas. t/bench/malloc measures it.

require "../../examples/rails/config/environment"
require "rack/mock_request"

PAGES = File.readlines("#{__dir__}/rails_paths.txt", chomp: true)
EACH = Integer(ENV.fetch("BENCH_PAGES", 5))
THREADS = Integer(ENV.fetch("BENCH_THREADS", 1))
Rails.application.load_server

class Pages
  def initialize(app)
    @app = app
    @next = 0
  end

  def call(_env)
    paths = Array.new(EACH) { PAGES[(@next += 1) % PAGES.size] }
    answers = THREADS > 1 ? in_threads(paths) : paths.map { |path| page(path) }
    bad = answers.reject { |_, status| status < 400 }
    [bad.empty? ? 200 : 500, { "content-type" => "text/plain" }, ["#{bad.empty? ? answers.size : bad.inspect}\n"]]
  end

  private

  # SQLite says "busy" on a machine that is: once more, then.
  def page(path)
    answer = attempt(path)
    answer[1] < 500 ? answer : attempt(path)
  end

  def attempt(path)
    status, _, body = @app.call(Rack::MockRequest.env_for(path, "HTTP_HOST" => "localhost"))
    body.each(&:bytesize)
    [path, status]
  rescue StandardError => error
    [path, 599, error.message]
  ensure
    body.close if body.respond_to?(:close)
  end

  # The threads live as long as their process, as a server's own would.
  def in_threads(paths)
    start unless @pid == Process.pid
    paths.each { |path| @todo << path }
    paths.map { @done.pop }
  end

  def start
    @pid = Process.pid
    @todo = Queue.new
    @done = Queue.new
    Array.new(THREADS) { Thread.new { loop { @done << page(@todo.pop) } } }
  end
end

run Pages.new(Rails.application)
