Rails.application.configure do
  config.enable_reloading = false
  config.eager_load = true
  config.consider_all_requests_local = false

  # Each worker keeps its own cache, and fills it by its own requests: this is
  # what a refork shares again.
  config.action_controller.perform_caching = true
  config.cache_store = :memory_store, { size: 64.megabytes }

  # There is no other web server before this example, and no TLS.
  config.public_file_server.headers = { "cache-control" => "public, max-age=3600" }
  config.assets.compile = false
  config.force_ssl = false

  # An example's constant, known to everybody. Set SECRET_KEY_BASE in earnest.
  config.secret_key_base = ENV.fetch("SECRET_KEY_BASE") { "not a secret: the bookshop is an example of reforkd's " * 2 }

  config.logger = ActiveSupport::Logger.new($stdout)
    .tap { |logger| logger.formatter = ::Logger::Formatter.new }
    .then { |logger| ActiveSupport::TaggedLogging.new(logger) }
  config.log_tags = [ :request_id ]
  config.log_level = ENV.fetch("RAILS_LOG_LEVEL", "info")

  config.action_mailer.perform_caching = false
  config.active_storage.service = :local
  config.i18n.fallbacks = true
  config.active_support.report_deprecations = false
  config.active_record.dump_schema_after_migration = false
  config.active_record.attributes_for_inspect = [ :id ]
end
