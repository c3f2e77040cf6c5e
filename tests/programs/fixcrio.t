#!/bin/sh
# fixcrio: the bytes beside those of Debian's, both ends of both ways, and that
# neither side can hold up the other.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016 # what the programs' shells are to expand
. "$(dirname "$0")/../lib.sh"
need perl /usr/bin/fixcrio

# run COMMAND…: output in $work/out, exit code in $code, messages in $log. The
# relay ends after the program, and closes the pipe then.
run() {
	{
		code=0
		"$@" 2>"$work/log" </dev/null || code=$?
		echo "$code" >"$work/code"
	} | cat >"$work/out"
	code=$(cat "$work/code")
	out=$(tr -d '\000' <"$work/out")
	log=$(cat "$work/log")
}

# --- wrong use, and what cannot be done: as Debian's
for arguments in '' "$work/absent" '-z true' '-- true' 'no-such-program x'; do
	# shellcheck disable=SC2086 # words
	run /usr/bin/fixcrio $arguments
	peer="$code $log"
	# shellcheck disable=SC2086
	run fixcrio $arguments
	is "$code $log" "$peer" "<$arguments>: $peer"
done
if is_plain 'no descriptors left'; then
	run sh -c 'ulimit -n 5; exec fixcrio true'
	is "$code" 111 'no descriptors left: 111'
	like "$log" '^fixcrio: fatal: unable to create pipe: ' 'and says so'
fi

# --- the program
run fixcrio sh -c 'exit 42'
is "$code" 42 "the chain's exit code is the program's"
run fixcrio sh -c 'kill -9 $$'
is "$code" 137 'and so is its death'
run sh -c 'echo $$; exec fixcrio sh -c "echo \$\$"'
is "$(tr -d '\r' <"$work/out" | uniq | wc -l | tr -d ' ')" 1 'the program has the pid that fixcrio had'
run fixcrio perl -e 'print defined $SIG{PIPE} ? $SIG{PIPE} : "default"'
unlike "$(cat "$work/out")" IGNORE 'SIGPIPE is as it was'
SSLCTLFD=7 SSLREADFD=8 SSLWRITEFD=9 run fixcrio env
unlike "$out" '^SSL(CTL|READ|WRITE)FD=' 'it is not told of TLS'

# --- the bytes, beside Debian's
printf 'a\nb\r\nc\rd\n\n\r\r\n\re' >"$work/in.mixed"
printf '\n' >"$work/in.lf"
printf '\r' >"$work/in.cr"
printf 'a\000\n\377\r\n\000\r' >"$work/in.binary"
: >"$work/in.empty"
perl -e 'print "\n" x 100_000' >"$work/in.newlines"
perl -e 'print "x" x ($_ - 1), "\r\n", "x" x $_, "\n" for 16384, 32768, 8192' >"$work/in.edges"
perl -e 'srand 7; print map { ("a", "bc", "\r", "\n", "\r\n", "\r\r\n")[rand 6] }
	1 .. 300_000' >"$work/in.random"
for input in mixed lf cr binary empty newlines edges random; do
	for side in ours peer; do
		program=$bin/fixcrio
		[ $side = ours ] || program=/usr/bin/fixcrio
		# What the program is given, and what it says: each fixed once.
		"$program" sh -c 'cat >"$1"' - "$work/given.$side" <"$work/in.$input"
		"$program" cat "$work/in.$input" | cat >"$work/said.$side"
	done
	same_file "$work/given.ours" "$work/given.peer" "$input: the program is given the same"
	same_file "$work/said.ours" "$work/said.peer" "$input: the client too"
done
perl -pe 's/(?<!\r)\n/\r\n/' "$work/in.random" >"$work/fixed"
fixcrio cat "$work/in.random" | cat >"$work/out"
same_file "$work/out" "$work/fixed" 'a CR before each LF that had none'
fixcrio cat <"$work/fixed" | cat >"$work/out"
same_file "$work/out" "$work/fixed" 'what has them passes unchanged'
run on-socket 'send=a\r' 'expect=a\r' 'send=\nb' 'expect=\nb' 'send=\n' 'expect=\r\n' shut end -- fixcrio cat
is "$(od -An -c "$work/out" | tr -s ' ')" ' a \r \n b \r \n' 'the CR is remembered over packets'
run on-socket 'send=a\n' 'expect=a\r\n' 'send=\n' 'expect=\r\n' shut end -- fixcrio cat
is "$code" 0 'and so is the LF; what comes passes at once'
run on-socket file="$work/in.random" shut end -- fixcrio cat
same_file "$work/out" "$work/fixed" 'the same through a socket'
run on-socket -p file="$work/in.random" shut end -- fixcrio cat
same_file "$work/out" "$work/fixed" 'and through pipes'

# --- the ends
run on-socket 'send=x' shut end -- fixcrio sh -c 'cat >/dev/null; echo late'
is "$out" "$(printf 'late\r')" "the client's end reaches the program, whose answer still goes out"
rm -f "$work/flag"
run on-socket 'expect=bye' end touch="$work/flag" -- fixcrio sh -c '
	echo bye; exec >&-; until [ -e "$1" ]; do sleep 0.02; done; exit 7' - "$work/flag"
is "$code $out" "7 $(printf 'bye\r')" "the program's end reaches the client, though both go on"
rm -f "$work/flag"
run on-socket 'expect=ready' 'times=9000:words\r\n' touch="$work/flag" end -- fixcrio sh -c '
	exec <&-; echo ready; until [ -e "$1" ]; do sleep 0.02; done; echo done' - "$work/flag"
like "$out" '^done' 'a program that reads no more can still answer'
rm -f "$work/flag"
run on-socket -p 'expect=ready' close -- fixcrio perl -e '
	$SIG{PIPE} = sub { open F, ">", $ARGV[0]; exit 5 };
	$| = 1; print "ready\n"; <STDIN>; print "x" x 5000 while 1' "$work/flag"
is "$code" 5 'a client that has gone: the program gets SIGPIPE'
# The program says 3 MB before it listens, the client too.
run on-socket 'blind=300000:012345678\n' shut end -- fixcrio perl -e '
	my $child = fork // die;
	if (!$child) { print "y" x 3_000_000; exit }
	my $n = 0; while (my $r = sysread STDIN, $_, 65536) { $n += $r }
	waitpid $child, 0; print " $n"'
is "$(tail -c 8 "$work/out")" ' 3300000' 'neither side can hold up the other'
is "$(wc -c <"$work/out" | tr -d ' ')" 3000008 'and nothing is lost'
run sh -c 'exec fixcrio sh -c "cat; echo x" <&-'
is "$out" "$(printf 'x\r')" 'no descriptor 0 is an end'
run sh -c 'exec fixcrio sh -c "cat <&0; echo x; exit 3" >&-'
is "$code" 3 'no descriptor 1: the program runs, and ends'

# --- the relay's process, which is the program's only child
cat >"$work/look" <<'EOF'
#!/bin/sh
read -r relay <"/proc/$$/task/$$/children"
cat >/dev/null
ls -1 "/proc/$relay/fd" | tr '\n' ' '
EOF
chmod 755 "$work/look"
if [ -r "/proc/$$/task/$$/children" ]; then
	run on-socket 'send=x' shut end -- sh -c 'exec 7<"$1" 9<"$1"; exec fixcrio "$2" 2>"$1"' - \
		/dev/null "$work/look"
	is "$(wc -w <"$work/out" | tr -d ' ')" 3 'the relay has no descriptor but its own'
else skip 'the kernel lists no children' 'the descriptors of the relay'
fi
done_testing
