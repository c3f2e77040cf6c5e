# What the tests of addcr and delcr have in common. The bytes beside those of
# Debian's, however they come in pieces, and what cannot be read or written.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# shellcheck disable=SC2154 # from lib.sh

# line_endings_of PROGRAM; leaves its inputs in $work/in.*
line_endings_of() {
	program=$1
	printf 'a\nb\r\nc' >"$work/in.mixed"
	printf 'a\r\nb\r\r\nc\rd\r' >"$work/in.crs"
	printf '\n\n\r\n\r\r\n\r\r' >"$work/in.ends"
	printf '\r' >"$work/in.cr"
	printf '\n' >"$work/in.lf"
	printf 'a\000\n\377\r\n\000\r' >"$work/in.binary"
	: >"$work/in.empty"
	perl -e 'print "\n" x 200_000' >"$work/in.newlines"
	perl -e 'print "\r\n" x 200_000' >"$work/in.pairs"
	perl -e 'print "x" x 1_000_000' >"$work/in.long"
	perl -e 'srand 7; print map { ("a", "bc", "\r", "\n", "\r\n", "\r\r\n")[rand 6] }
		1 .. 300_000' >"$work/in.random"
	# The CR is the last byte that a read of 64 kB gives, or the LF the first.
	perl -e 'print "x" x (65536 * 2 + $_), "\r\n" for -2, -1, 0, 1' >"$work/in.edges"
	perl -e 'print "x" x 65535, "\r"' >"$work/in.held"
	for input in mixed crs ends cr lf binary empty newlines pairs long random edges held; do
		"$program" <"$work/in.$input" >"$work/out.ours"
		code=$?
		"/usr/bin/$program" <"$work/in.$input" >"$work/out.peer"
		is "$code" "$?" "$input: exit code as Debian's"
		same_file "$work/out.ours" "$work/out.peer" "$input: bytes too"
		[ "$input" != random ] && [ "$input" != edges ] && continue
		# Pieces of every length, so that each pair is cut somewhere.
		perl -e 'srand 8; local $/; $_ = <STDIN>;
			while (length) { syswrite STDOUT, substr $_, 0, 1 + int rand 7, "" }' \
			<"$work/in.$input" | "$program" >"$work/out.ours"
		same_file "$work/out.ours" "$work/out.peer" "$input: also in small pieces"
	done
	passes_at_once
	cannot_go_on
}

# What came is out before more is read: the second line waits for the first.
passes_at_once() {
	mkfifo "$work/to" "$work/from"
	"$program" <"$work/to" >"$work/from" &
	pid=$!
	started="$started $pid"
	exec 3>"$work/to" 4<"$work/from"
	printf 'one\n' >&3
	read -r line <&4
	printf 'two\n' >&3
	read -r second <&4
	is "$(echo "$line $second" | tr -d '\r')" 'one two' 'a line passes at once'
	printf 'x\r' >&3
	exec 3>&-
	wait "$pid"
	is "$?" 0 '0 at the end of the input'
	is "$(od -An -c <&4 | tr -s ' ')" ' x \r' 'with what was left'
	exec 4<&-
}

# failing WHAT TEXT
failing() {
	is "$code" 111 "$1: 111"
	is "$(cat "$work/log")" "$program: fatal: unable to $2" "$1: says so"
}
cannot_go_on() {
	code=0
	"$program" <"$work/in.mixed" >/dev/full 2>"$work/log" || code=$?
	failing 'no room' 'write output: out of disk space'
	code=0
	"$program" <"$work" >"$work/out" 2>"$work/log" || code=$?
	failing 'a folder' 'read input: is a directory'
	code=0
	"$program" <&- >"$work/out" 2>"$work/log" || code=$?
	is "$code" 111 'no input: 111'
	code=0
	"$program" <"$work/in.mixed" >&- 2>"$work/log" || code=$?
	is "$code" 111 'no output: 111'
	(
		trap '' PIPE
		code=0
		"$program" <"$work/in.random" 2>"$work/log" || code=$?
		echo "$code" >"$work/code"
	) | :
	wait_until test -s "$work/code"
	code=$(cat "$work/code")
	failing 'a reader that is gone' 'write output: broken pipe'
}
