# editor.sh - editors in a test: lsp_client.rb, and Debian's Neovim, headless.
# Sourced after lib.sh.
#
#   neovim_is_served FILE WANT   Neovim's session, and one whose worker is killed:
#                           like WANT each; skipped where there is no nvim
#   neovim FILE [FLAG...]   a session of it by reforkctl lease FLAG..., or with
#                           $LSP_COMMAND; what it has shown is printed
#   survived CMD...         CMD, an editor, while all workers are killed between
#                           an edit and the questions that follow

has_neovim() { command -v nvim >/dev/null; }

neovim() {
	neovim_file=$1
	shift
	HOME=$DIR XDG_STATE_HOME=$DIR XDG_DATA_HOME=$DIR NVIM_LOG_FILE=$DIR/nvim.log \
		LSP_COMMAND="${LSP_COMMAND:-$REFORKCTL -c $CONF lease $*}" timeout 120 \
		nvim --headless --clean -n -c "luafile $ROOT/t/e2e/editor.lua" "$neovim_file" \
		</dev/null 2>>"$DIR/editor.err"
}

survived() {
	rm -f "$DIR/go" "$DIR/survived"
	GO=$DIR/go "$@" >"$DIR/survived" &
	survived_pid=$!
	until_true grep -qs '^edited' "$DIR/survived"
	for survived_worker in $(workers); do kill -KILL "$survived_worker"; done
	: >"$DIR/go"
	wait "$survived_pid"
	cat "$DIR/survived"
}

neovim_is_served() {
	if has_neovim; then
		like 'Neovim, by a lease' "$(neovim "$1")" "$2"
		like 'Neovim, whose worker is killed' "$(survived neovim "$1" --relay)" "$2"
	else
		result 0 "Neovim's sessions # SKIP there is no nvim here"
	fi
}
