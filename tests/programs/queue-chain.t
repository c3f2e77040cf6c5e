#!/bin/sh
# queue-chain: a file's words are a command line, without a shell.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016,SC1003 # what is in quotes is for queue-chain
. "$(dirname "$0")/../lib.sh"

# chain LINE…: a file of these lines, run as $QMAILQUEUE is; $code, its output
# in $work/out, its log in $work/log
chain() {
	{
		echo "#!$bin/queue-chain"
		printf '%s\n' "$@"
	} >"$work/chain.new"
	chmod 755 "$work/chain.new"
	mv "$work/chain.new" "$work/chain"
	code=0
	(cd "$work" && ./chain >"$work/out" 2>"$work/log") || code=$?
}

cat >"$work/show" <<'SHOW'
#!/bin/sh
printf '<%s>' "$@"
echo " $COLOUR $SIZE"
SHOW
chmod 755 "$work/show"
PATH=$work:$PATH
unset COLOUR SIZE

chain 'show one two'
is "$code $(cat "$work/out")" '0 <one><two>  ' 'words of a line'
chain '# a comment' '' 'show one \' '	two # not this' 'three' '  four'
is "$(cat "$work/out")" '<one><two><three><four>  ' 'lines, blanks, comments'
chain "show 'a b' \"c 'd' \\\"e\\\" \\x\" f\\ g '' h#i \"j\"'k'"
is "$(cat "$work/out")" '<a b><c '\''d'\'' "e" \x><f g><><h#i><jk>  ' \
	'quotes and backslashes, as a shell has them'
cp "$work/out" "$work/wanted"
{ echo '#!/bin/sh'; sed 1d "$work/chain"; } >"$work/script"
(cd "$work" && sh ./script >"$work/out")
same_file "$work/out" "$work/wanted" 'a shell makes the same of that'
chain 'COLOUR="light blue" SIZE=2' 'export SIZE=3' 'exec show COLOUR=red'
is "$(cat "$work/out")" '<COLOUR=red> light blue 3' 'settings, exec and export'
chain 'show one' 'two' && printf 'show no-end' >>"$work/chain"
is "$(cd "$work" && ./chain)" '<one><two><show><no-end>  ' 'no last line end'
is "$("$bin/queue-chain" "$work/chain" more)" '<one><two><show><no-end>  ' \
	'run by itself; further arguments are none of its own'

for bad in 'show $HOME' 'show `id`' 'show "$HOME"' 'show a; id' 'show a | cat' \
	'show <file' 'show a && id' 'show *' '(show)' "show 'a" 'show "a' 'show ~'; do
	chain "$bad"
	is "$code $(cat "$work/log")" \
		'55 queue-chain: fatal: ./chain: line 2: only a shell understands this' \
		"an error: $bad"
done
chain 'show \' '# one' '"two' three
is "$code $(cat "$work/log")" \
	'55 queue-chain: fatal: ./chain: line 4: only a shell understands this' \
	'the line on which the word begins'
for empty in '' '# nothing' 'A=b' 'exec'; do
	chain "$empty"
	is "$code $(cat "$work/log")" \
		'55 queue-chain: fatal: ./chain: names no stage' "no stage: $empty"
done
chain "$(perl -e 'print "show ", "x " x 1023')"
is "$code" 0 'as many words as it takes'
chain "$(perl -e 'print "show ", "x " x 1024')"
is "$code $(cat "$work/log")" \
	'55 queue-chain: fatal: ./chain: has too many words' 'and one more'
chain "show $(perl -e 'print "x" x 65600')"
is "$code" 55 'a file that is too long'
printf '#!%s/queue-chain\nshow a\0b\n' "$bin" >"$work/chain"
code=0
"$bin/queue-chain" "$work/chain" 2>"$work/log" || code=$?
is "$code" 55 'a NUL in it'
code=0
"$bin/queue-chain" "$work/nowhere" 2>"$work/log" || code=$?
is "$code $(cat "$work/log")" \
	"55 queue-chain: fatal: $work/nowhere: file does not exist" 'no file'
code=0
"$bin/queue-chain" 2>"$work/log" || code=$?
is "$code" 100 'no argument'
chain './nowhere x'
is "$code $(cat "$work/log")" \
	'120 queue-chain: fatal: unable to run ./nowhere: file does not exist' \
	'a first stage that is not there'

# --- as $QMAILQUEUE ---

printf 'Fa@x\0Tb@x\0\0' >"$work/envelope"
printf 'Subject: x\n\nbody\n' >"$work/message"
cat >"$work/stage" <<STAGE
#!/bin/sh
exec 3<&1 >"$work/seen"
cat
tr '\\0' . <&3
STAGE
chmod 755 "$work/stage"
chain true
printf '#!%s/queue-chain\nstage\n' "$bin" >"$work/chain"
"$work/chain" <"$work/message" 1<"$work/envelope"
is "$(cat "$work/seen")" "$(printf 'Subject: x\n\nbody\nFa@x.Tb@x..')" \
	'message and envelope are as they were'
cp "$bin/queue-chain" "$work/copied" && cp "$work/show" "$work/beside"
(
	mkdir "$work/home" && mv "$work/copied" "$work/beside" "$work/home/"
	printf '#!%s/home/copied\nbeside x\n' "$work" >"$work/chain"
	"$work/chain" >"$work/out"
)
is "$(cat "$work/out")" '<x>  ' 'a stage that is beside it'
done_testing
