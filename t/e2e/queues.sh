# Sourced with at() defined, which asks once: whether every queue of an address is
# served.
all_answered() { # N connections, whichever queue they come to
	all_jobs=
	for i in $(seq "${1:-16}"); do
		at / >"$DIR/code.$i" &
		all_jobs="$all_jobs $!"
	done
	for job in $all_jobs; do wait "$job"; done
	cat "$DIR"/code.*
	is_all=$(cat "$DIR"/code.* | sort | uniq -c | tr -s ' ')
	rm -f "$DIR"/code.*
	[ "$is_all" = " ${1:-16} 200" ]
}
