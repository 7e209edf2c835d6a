# frozen_string_literal: true

require "unicorn"
Reforkd::Compat.theirs("unicorn/stream_input")
