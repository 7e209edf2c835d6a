# An application that leaks: each request keeps LEAK_KB for ever, in strings
# that no collection can free, and /once LEAK_ONCE_MB more. For the rest it is
# what t/load asks for, idlog.ru.

class Leak
  def initialize(app)
    @app = app
    @kept = []
    @piece = Integer(ENV.fetch("LEAK_KB", "64")) * 1024
    @once = Integer(ENV.fetch("LEAK_ONCE_MB", "64"))
  end

  def call(env)
    @kept << "x" * @piece if @piece > 0
    return @app.call(env) if env["HTTP_X_LOAD_ID"]

    @once.times { @kept << "y" * (1 << 20) } if env["PATH_INFO"] == "/once"
    [200, { "content-type" => "text/plain" }, ["worker #{Process.pid} keeps #{@kept.size}\n"]]
  end
end

use Leak
instance_eval(File.read("#{__dir__}/idlog.ru"), "idlog.ru")
