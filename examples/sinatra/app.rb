require "digest"
require "json"
require "sinatra/base"

# Pages, a session, an upload, a streamed answer and a file: what a small
# application asks of its server.
class Corner < Sinatra::Base
  configure do
    set :root, __dir__
    set :sessions, same_site: :lax
    # An example's constant, known to everybody. Set SESSION_SECRET in earnest.
    set :session_secret, ENV.fetch("SESSION_SECRET") { "not a secret: the corner is an example of reforkd's " * 2 }
    set :show_exceptions, false
    set :logging, false
  end

  before { session[:visits] = session[:visits].to_i + 1 }

  get("/") { erb :home }

  get "/hello/:name" do
    cache_control :public, max_age: 60
    erb :hello, locals: { name: params[:name] }
  end

  post "/upload" do
    file = params.dig("file", :tempfile) or halt 400, "Which file?\n"
    content_type :text
    "#{Digest::SHA256.file(file.path)}  #{params['file'][:filename]}\n"
  end

  post "/sum" do
    numbers = JSON.parse(request.body.read)
    halt 422, "Only numbers can be added.\n" unless numbers.is_a?(Array) && numbers.all?(Numeric)
    content_type :json
    { sum: numbers.sum }.to_json
  rescue JSON::ParserError
    halt 400, "This is not JSON.\n"
  end

  get "/count/:to" do
    content_type :text
    last = params[:to].to_i.clamp(1, 10_000)
    stream { |out| (1..last).each { |n| out << "#{n}\n" } }
  end

  get("/source") { send_file __FILE__, type: :text }

  # Which process answers.
  get "/pid" do
    content_type :json
    { pid: Process.pid, ppid: Process.ppid }.to_json
  end

  get("/up") { "up\n" }
end
