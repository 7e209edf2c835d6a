# The least a Rack application can do; what is measured is the server.
body = ["Hello, World!\n"].freeze
headers = { "content-type" => "text/plain", "content-length" => "14" }.freeze

run ->(_env) { [200, headers.dup, body] }
