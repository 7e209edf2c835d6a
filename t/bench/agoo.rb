# agoo's own command serves files; this starts it with a Rack application.
require "agoo"
require "rack"

port, workers, rackup = ARGV
quiet = %i[INFO DEBUG connect request response eval push].to_h { |state| [state, false] }
Agoo::Log.configure(dir: "", console: true, classic: true, colorize: false, states: quiet)
Agoo::Server.init(0, ".", bind: ["http://127.0.0.1:#{port}"], thread_count: 0, worker_count: workers.to_i) # 0: threads of its own stall for 30 ms a request
app = Rack::Builder.parse_file(rackup)
Agoo::Server.handle(nil, "**", Array === app ? app.first : app)
Agoo::Server.start
sleep
