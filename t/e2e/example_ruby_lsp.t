#!/bin/sh
# examples/ruby-lsp with a language client over pipes: the index is there when a
# session begins.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/editor.sh"
with_bundle examples/ruby-lsp

mkdir -p "$DIR/project/lib"
cat >"$DIR/project/lib/lighthouse.rb" <<'END'
class Lighthouse
  def blink
    :on
  end
end
Lighthouse.new
END
cp "$ROOT/examples/ruby-lsp/"*.conf "$ROOT/examples/ruby-lsp/"*.rb "$DIR"
export PROJECT="$DIR/project"
AWAIT=120
start "$DIR/app.conf"
AWAIT=60

cd "$PROJECT" || exit 1

session() { # SYMBOL FLAG...
	session_symbol=$1
	shift
	timeout 120 "${RUBY:-ruby}" "$ROOT/t/e2e/lsp_client.rb" lib/lighthouse.rb "$session_symbol" \
		"$REFORKCTL" -c "$CONF" lease "$@" 2>>"$DIR/editor.err"
}

first=$(session Lighthouse)
printf '%s\n' "$first" | grep answered | diag
like 'a server answers' "$first" '^server Ruby LSP$'
like 'it reads the document' "$first" '^document Lighthouse'
like 'it knows the project at once' "$first" '^workspace true$'
like 'and ends as it should' "$first" '^status 0$'
cat >"$DIR/project/lib/harbour.rb" <<'END'
class HarbourMaster; end
END
knows() { session "$1" | grep -q '^workspace true$'; }
await 'a file that is newer than the mold' knows HarbourMaster

relayed=$(survived session Lighthouse --relay)
like 'its worker is killed: the edited document is there' "$relayed" '^again Lighthouse gl.+w$'
like 'hover answers' "$relayed" '^hover lighthouse.rb$'
like 'and the session ends as if nothing had been' "$relayed" '^status 0$'
neovim_is_served lib/lighthouse.rb '^then Lighthouse gleam$'
await 'leaves the spare worker' count 1 workers
ok 'stops' stop

# One server for all projects: the bundle that ruby-lsp has composed is used.
unset BUNDLE_GEMFILE RUBYOPT
cp "$ROOT/t/gems/rack3/Gemfile" "$ROOT/t/gems/rack3/Gemfile.lock" "$PROJECT"
mkdir "$PROJECT/.ruby-lsp" "$DIR/other"
cp "$ROOT/examples/ruby-lsp/Gemfile" "$ROOT/examples/ruby-lsp/Gemfile.lock" "$PROJECT/.ruby-lsp"
cp "$PROJECT/Gemfile" "$PROJECT/Gemfile.lock" "$DIR/other"
: >"$LOG"
READY='master process ready' start "$DIR/projects.conf"
like 'a project has its mold with its bundle' "$(session Lighthouse)" '^workspace true$'
like 'which status names' "$(ctl status)" "^key +root=$PROJECT lock="
like 'one without ruby-lsp says so' "$(cd "$DIR/other" && "$REFORKCTL" -c "$CONF" lease 2>&1 </dev/null)" \
	'no bundle with ruby-lsp \(run ruby-lsp once there.*\(boot_failed\)'
finish
