#!/bin/sh
# examples/batch: ends by itself when all is done, does again what failed, and
# goes on where it was.
. "$(dirname "$0")/lib.sh"
export INPUT=$DIR/in OUTPUT=$DIR/out PARTS=3
mkdir "$INPUT"
for n in $(seq 60); do echo "one two one n $n" >"$INPUT/$n.txt"; done
batch() { timeout 20 "$REFORKD" -c "$ROOT/examples/batch/app.conf" >>"$LOG" 2>&1 </dev/null; }
done_files() { ls "$OUTPUT" | wc -l; }
none_begun() { [ -z "$(find "$OUTPUT" -name '.*.txt.*')" ]; }

batch
is 'it ends with 0 when all is done' $? 0
is 'each file was counted' "$(done_files)" 60
is 'rightly' "$(cat "$OUTPUT/7.txt")" '2 one
1 n
1 two'
ok 'by each of the processes' logged '^part [012]: 20 files are done' 3
ok 'which were not begun again' logged 'run block [012] has ended: it is not begun again' 3
nok 'nothing was complained about' logged ' (WARN|ERROR|FATAL) -- '

# A file that cannot be read, by one of the three
rm "$OUTPUT"/*
: >"$LOG"
printf 'not UTF-8: \377\n' >"$INPUT/2.txt"
CONF=$ROOT/examples/batch/app.conf
background "$REFORKD" -c "$CONF"
MASTER=$!
await 'who fails begins again' logged 'invalid byte sequence' 3
await 'the others have done theirs' logged '^part [012]: 20 files are done' 2
await 'at growing intervals' logged 'workers in a row were of no use: the next one in'
echo 'now it is' >"$INPUT/2.txt"
await 'and when it can, all is done' gone "$MASTER"
wait "$MASTER"
is 'with 0' $? 0
MASTER=
is 'each file was counted once more' "$(done_files)" 60
ok 'no half of one was left' none_begun

# Never again
rm "$OUTPUT"/*
: >"$LOG"
printf 'not UTF-8: \377\n' >"$INPUT/2.txt"
RESTART=never batch
is 'a failure that is final makes it 1' $? 1
ok 'the others have done theirs all the same' logged '^part [012]: 20 files are done' 2
nok 'what is left is left' [ -e "$OUTPUT/2.txt" ]
rm "$INPUT/2.txt"
finish
