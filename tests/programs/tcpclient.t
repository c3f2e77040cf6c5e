#!/bin/sh
# tcpclient: Debian's texts, exit codes and environment; addresses of both
# families, both rounds of -T, and the relay that runs where no program does.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016 # what the programs' shells are to expand
. "$(dirname "$0")/../lib.sh"
need perl /usr/bin/tcpclient /usr/bin/tcpserver script

peer=/usr/bin/tcpclient
# No look-ups, but where they are the test.
plain='-RHl0'

# run COMMAND…: output in $out, exit code in $code, messages in $log.
run() {
	code=0
	"$@" >"$work/out" 2>"$work/log" </dev/null || code=$?
	out=$(tr -d '\000' <"$work/out")
	log=$(cat "$work/log")
}
# both WHAT ARGUMENT…: exit code, text and output are Debian's; the client's own
# port differs.
masked() {
	sed -E 's/(TCPLOCALPORT|peer)=.*/\1=PORT/' "$1"
}
both() {
	what=$1
	shift
	run "$peer" "$@"
	wanted="$code $log
$(masked "$work/out")"
	run tcpclient "$@"
	is "$code $log
$(masked "$work/out")" "$wanted" "$what: as Debian's"
}
# serve SERVER LOG ADDRESS PROGRAM…: its port in $port, its pid in $server
serve() {
	serve_with=$1 serve_log=$2 serve_address=$3
	shift 3
	start_server "$serve_log" "$serve_with" -1 -v -R -H -l server.example \
		"$serve_address" 0 "$@"
}

# --- wrong use
usage='tcpclient: usage: tcpclient [ -46hHrRdDqQv ] [ -i localip ] [ -p localport ] [ -T timeoutconn ] [ -l localname ] [ -t timeoutinfo ] [ -I interface ] host port [ program ]'
run tcpclient
is "$code $log" "100 $usage" 'no arguments: the usage, 100'
run tcpclient -v 127.0.0.1
is "$code $log" "100 $usage" 'no port: the same'
run tcpclient -z
is "$code $log" "100 tcpclient: illegal option -- z
$usage" 'an unknown option'
run tcpclient -i
is "$code $log" "100 tcpclient: option requires an argument -- i
$usage" 'a missing argument'
for wrong in '-i localhost' '-i 127.0.0.999' '-T x' '-T 1+x' '-T 1+2+3' '-T +1' '-T -1' '-T 99999999999'; do
	# shellcheck disable=SC2086
	run tcpclient $wrong 127.0.0.1 1 true
	is "$code $log" "100 $usage" "$wrong: the usage, 100"
done
for wrong in '-p 65536' '-p x' '-t x'; do
	# shellcheck disable=SC2086
	run tcpclient $wrong 127.0.0.1 1 true
	is "$code" 100 "$wrong: 100"
done
run tcpclient -q 127.0.0.1
is "$code <$log>" '100 <>' '-q says nothing'
both 'an unknown port' $plain 127.0.0.1 no-such-port true
is "$code $log" '111 tcpclient: fatal: unable to figure out port number for no-such-port' 'and 111'
run tcpclient $plain 127.0.0.1 65536 true
is "$code $log" '111 tcpclient: fatal: unable to figure out port number for 65536' 'a port that is none'
run tcpclient -q $plain 127.0.0.1 no-such-port true
is "$code <$log>" '111 <>' '-q says nothing'
run tcpclient $plain '[127.0.0.1' 1 true
like "$code $log" '^111 .*no IP address for \[127\.0\.0\.1$' 'half a bracket'
run tcpclient $plain -4 ::1 1 true
is "$code $log" '111 tcpclient: fatal: no IP address for ::1' '-4 and an IPv6 address'
run tcpclient $plain -6 127.0.0.1 1 true
is "$code $log" '111 tcpclient: fatal: no IP address for 127.0.0.1' '-6 and an IPv4 one'
run tcpclient $plain -i ::1 127.0.0.1 1 true
is "$code $log" '111 tcpclient: fatal: no IP address for 127.0.0.1' 'so does -i'
run tcpclient $plain -I no-such-if fe80::1 1 true
is "$code $log" '111 tcpclient: fatal: unable to find interface no-such-if' '-I and no interface'
run tcpclient $plain fe80::1%no-such-if 1 true
is "$code $log" '111 tcpclient: fatal: unable to find interface no-such-if' 'an address and no interface'

# --- connections
# The server says what it sees of the client, then what the client says.
serve /usr/bin/tcpserver "$work/server.log" 127.0.0.1 \
	sh -c 'echo "you=$TCPREMOTEIP peer=$TCPREMOTEPORT"; exec cat'
# The end has to be said: both descriptors are one connection.
say_env='use Socket; open my $s, "+<&=", 6; print scalar <$s>; shutdown $s, 1;
	print sort map { "$_=$ENV{$_}\n" } grep /^(PROTO|TCP)/, keys %ENV'
both 'a connection' -v $plain 127.0.0.1 "$port" perl -e "$say_env"
is "$code $log" "0 tcpclient: connected to 127.0.0.1 port $port" '-v: says so'
is "$(masked "$work/out" | sed 's/peer=.*//')" "you=127.0.0.1 
PROTO=TCP
TCPLOCALHOST=0
TCPLOCALIP=127.0.0.1
TCPLOCALPORT=PORT
TCPREMOTEIP=127.0.0.1
TCPREMOTEPORT=$port" 'the environment'
is "$(sed -n 's/.*peer=//p' "$work/out")" "$(sed -n 's/TCPLOCALPORT=//p' "$work/out")" \
	'has the port that the server sees'
export PROTO=x TCPLOCALHOST=x TCPREMOTEHOST=x TCPREMOTEINFO=x TCPREMOTEIP=x
both 'what was inherited is replaced or gone' $plain 127.0.0.1 "$port" perl -e "$say_env"
export TCP6REMOTEIP=x TCP6REMOTEHOST=x TCP6INTERFACE=x
run tcpclient $plain 127.0.0.1 "$port" perl -e "$say_env"
unlike "$out" '=x$' 'whatever the family'
unset PROTO TCPLOCALHOST TCPREMOTEHOST TCPREMOTEINFO TCPREMOTEIP TCP6REMOTEIP TCP6REMOTEHOST TCP6INTERFACE
for host in 127.0.0.1 0 ''; do
	both "host <$host>" -vRHl0 "$host" "$port" perl -e "$say_env"
	is "$code" 0 'is this machine'
done
for host in '[127.0.0.1]' ::ffff:127.0.0.1 '[::ffff:127.0.0.1]'; do
	run tcpclient -v $plain "$host" "$port" perl -e "$say_env"
	like "$code $log" "^0 tcpclient: connected to 127\.0\.0\.1 port $port\$" "host $host"
	like "$out" '^PROTO=TCP$' 'is IPv4'
done
both '-i' $plain -i 127.0.0.2 127.0.0.1 "$port" perl -e "$say_env"
like "$out" '^you=127\.0\.0\.2 ' 'is where it comes from'
both '-i and no such address' $plain -i 192.0.2.1 127.0.0.1 "$port" true
is "$code $log" '111 tcpclient: fatal: unable to bind socket: address not available' 'is fatal'
free=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.77")->sockport')
run tcpclient $plain -i 127.0.0.77 -p "$free" 127.0.0.1 "$port" perl -e "$say_env"
like "$out$log" "peer=$free\$" '-p is the port that it comes from'
run tcpclient $plain -i 127.0.0.1 -p "$port" 127.0.0.1 "$port" true
is "$code $log" '111 tcpclient: fatal: unable to bind socket: address already used' '-p and a port in use'
both '-l' -RH -l a.name 127.0.0.1 "$port" perl -e "$say_env"
both '-l and nothing' -RH -l '' 127.0.0.1 "$port" perl -e "$say_env"
both '-D' -D $plain 127.0.0.1 "$port" perl -e '
	use Socket qw(:all); open my $s, "+<&=", 6;
	print unpack "i", getsockopt $s, IPPROTO_TCP, TCP_NODELAY'
is "$out" 1 'sends at once'
both 'without -D' $plain 127.0.0.1 "$port" perl -e '
	use Socket qw(:all); open my $s, "+<&=", 6;
	print unpack "i", getsockopt $s, IPPROTO_TCP, TCP_NODELAY'
is "$out" 0 'it does not'
both 'the exit code' $plain 127.0.0.1 "$port" sh -c 'exit 42'
both 'no program of that name' $plain 127.0.0.1 "$port" "$work/absent"
is "$code $log" "111 tcpclient: fatal: unable to run $work/absent: file does not exist" 'is 111'
both 'and with -q' -q $plain 127.0.0.1 "$port" "$work/absent"
is "$code <$log>" '111 <>' 'in silence'
run tcpclient -q $plain 127.0.0.1 "$port" sh -c 'echo words >&2'
is "$log" words '-q does not silence the program'

# --- descriptors
fds='opendir my $d, "/proc/self/fd"; my $own = "/proc/$$/fd";
	print map { "$_ " . (readlink("/proc/self/fd/$_") =~ s/\d+]/N]/r) . "\n" }
	grep { (readlink("/proc/self/fd/$_") // "") ne $own } sort grep !/\D/, readdir $d;
	print "same\n" if readlink("/proc/self/fd/6") eq readlink "/proc/self/fd/7";
	open my $s, "<&=", 6; use Fcntl; print "blocks\n" unless fcntl($s, F_GETFL, 0) & O_NONBLOCK'
both 'descriptors' $plain 127.0.0.1 "$port" perl -e "$fds"
like "$out" '^6 socket:\[N\]$' '6 is the connection'
like "$out" '^same$' 'and 7'
like "$out" '^blocks$' 'which blocks'
# The socket itself becomes 6, or 7, or 0.
for taken in '3<&0 4<&0 5<&0' '3<&0 4<&0 5<&0 6<&0' '6<&0 7<&0' '3<&0 4<&0 5<&0 6<&0 7<&0 8<&0' '0<&-'; do
	for side in peer ours; do
		[ $side = peer ] && program=$peer || program=tcpclient
		sh -c "exec $taken"'; exec "$@"' - $program $plain 127.0.0.1 "$port" perl -e "$fds" \
			>"$work/out" 2>"$work/log" </dev/null
		mv "$work/out" "$work/fds.$side"
	done
	same_file "$work/fds.ours" "$work/fds.peer" "descriptors where $taken"
done
stop "$server"

# --- no connection
both 'refused' $plain 127.0.0.1 "$port" true
is "$code $log" "111 tcpclient: unable to connect to 127.0.0.1 port $port: connection refused" \
	'says where'
both 'refused, with -v' -v $plain 127.0.0.1 "$port" true
both 'refused, with -q' -q $plain 127.0.0.1 "$port" true
is "<$log>" '<>' 'in silence'
full-listener 127.0.0.1 >"$work/full" &
full=$!
started="$started $full"
wait_until test -s "$work/full"
port=$(cat "$work/full")
for timeout in 1 0+1 0; do
	both "no answer, -T $timeout" $plain -T $timeout 127.0.0.1 "$port" true
done
is "$code $log" "111 tcpclient: unable to connect to 127.0.0.1 port $port: timed out" 'says so'
name='one address: one try, for both timeouts together'
if is_plain "$name" && can_trace "$name"; then
	strace -f -qq -e trace=poll -o "$work/trace" tcpclient $plain -T 0+1 127.0.0.1 "$port" true 2>/dev/null
	is "$(grep -c 'poll(' "$work/trace")" 1 "$name"
fi
stop "$full"

# --- an address needs no DNS
name='an address: opens nothing but the connection'
if is_plain "$name" && can_trace "$name"; then
	serve "$bin/tcpserver" "$work/server.log" 127.0.0.1 true
	for host in 127.0.0.1 0 '[127.0.0.1]'; do
		strace -f -qq -e trace=open,openat,socket,connect,execve -o "$work/trace" \
			tcpclient $plain "$host" "$port" true
		is "$(sed -n '1d;/execve/q;p' "$work/trace" | sed 's/(.*//; s/.* //' | tr '\n' ' ')" \
			'socket connect ' "host $host: opens nothing but the connection"
	done
	stop "$server"
fi

# --- IPv6
if has_ipv6 IPv6; then
	serve "$bin/tcpserver" "$work/server.log" ::1 \
		sh -c 'env | grep -E "^(PROTO|TCP)" | sort'
	for host in ::1 '[::1]' 0:0:0:0:0:0:0:1; do
		run tcpclient -v $plain "$host" "$port" sh -c 'cat <&6 >"$1"
			env | grep -E "^(PROTO|TCP)" | sort' - "$work/theirs"
		is "$code $log" "0 tcpclient: connected to ::1 port $port" "host $host"
		is "$(printf '%s\n' "$out" | sed 's/LOCAL\(IP\|PORT\)/X\1/; s/REMOTE\(IP\|PORT\)/LOCAL\1/
			s/X\(IP\|PORT\)/REMOTE\1/; s/LOCALHOST=0/LOCALHOST=server.example/' | sort)" \
			"$(cat "$work/theirs")" "has the server's environment, seen from the other side"
	done
	like "$out" '^PROTO=TCP6$' 'which is that of IPv6'
	like "$out" '^TCP6REMOTEIP=::1$' 'in both forms'
	run tcpclient -v $plain -6 0 "$port" true
	is "$code $log" "0 tcpclient: connected to ::1 port $port" '-6: this machine is ::1'
	run tcpclient $plain -i ::1 -v '' "$port" true
	is "$code $log" "0 tcpclient: connected to ::1 port $port" 'and so with -i'
	run tcpclient -v $plain -I lo ::1 "$port" true
	is "$code" 0 '-I does no harm where it is not needed'
	stop "$server"
	run tcpclient $plain ::1 "$port" true
	is "$code $log" "111 tcpclient: unable to connect to ::1 port $port: connection refused" 'refused'
fi

# --- the relay
perl -e 'srand 8; print map { pack "L", rand 1 << 32 } 1 .. 750_000' >"$work/big"
serve /usr/bin/tcpserver "$work/server.log" 127.0.0.1 sh -c 'cat; echo late'
run tcpclient 127.0.0.1 "$port"
is "$code $out" '0 late' "no program, no input: the server's answer"
code=0
printf 'words\n' | tcpclient -v 127.0.0.1 "$port" >"$work/out" 2>"$work/log" || code=$?
is "$code $(cat "$work/out")" '0 words
late' 'what is said, and what is said after it'
is "$(cat "$work/log")" "tcpclient: connected to 127.0.0.1 port $port" '-v'
tcpclient 127.0.0.1 "$port" <"$work/big" >"$work/out"
{ cat "$work/big"; echo late; } >"$work/wanted"
same_file "$work/out" "$work/wanted" '3 MB from a file to a file'
# shellcheck disable=SC2002 # a pipe is the point
cat "$work/big" | tcpclient 127.0.0.1 "$port" | cat >"$work/out"
same_file "$work/out" "$work/wanted" 'from a pipe to a pipe'
run on-socket file="$work/big" shut end -- tcpclient 127.0.0.1 "$port"
same_file "$work/out" "$work/wanted" 'from a socket to a socket'
head -c 100000000 /dev/zero | tcpclient 127.0.0.1 "$port" | wc -c >"$work/out"
is "$(tr -d ' ' <"$work/out")" 100000005 '100 MB there and back'
name='in 3 MB of memory'
if is_plain "$name" && is_here softlimit "$name"; then
	softlimit -m 3000000 tcpclient 127.0.0.1 "$port" <"$work/big" >"$work/out"
	same_file "$work/out" "$work/wanted" "$name"
fi
run on-socket -p 'send=one\n' 'expect=one\n' 'send=two\n' 'expect=two\n' shut end -- tcpclient 127.0.0.1 "$port"
is "$code" 0 'a word passes at once'
code=0
tcpclient 127.0.0.1 "$port" <"$work" >"$work/out" 2>"$work/log" || code=$?
is "$code $(cat "$work/log")" '111 tcpclient: fatal: unable to read input: is a directory' \
	'an input that cannot be read'
code=0
tcpclient 127.0.0.1 "$port" </dev/null >/dev/full 2>"$work/log" || code=$?
is "$code $(cat "$work/log")" '111 tcpclient: fatal: unable to write output: out of disk space' \
	'an output that cannot be written'
code=0
tcpclient -q 127.0.0.1 "$port" </dev/null >/dev/full 2>"$work/log" || code=$?
is "$code <$(cat "$work/log")>" '111 <>' '-q says nothing of it'
run sh -c 'exec tcpclient 127.0.0.1 "$1" <&-' - "$port"
is "$code" 111 'no descriptor 0: 111'
{
	code=0
	tcpclient 127.0.0.1 "$port" <"$work/big" || code=$?
	echo "$code" >"$work/code"
} 2>/dev/null | head -c 5 >"$work/out"
wait_until test -s "$work/code"
is "$(cat "$work/code")" 141 'a reader that goes away: SIGPIPE, as for any filter'
stop "$server"

# A server that says 3 MB before it listens, to a client that does too.
serve /usr/bin/tcpserver "$work/server.log" 127.0.0.1 perl -e '
	my $child = fork // die;
	if (!$child) { print "y" x 3_000_000; exit }
	my $n = 0; while (my $r = sysread STDIN, $_, 65536) { $n += $r }
	waitpid $child, 0; print " $n"'
run on-socket 'blind=300000:0123456789' shut end -- tcpclient 127.0.0.1 "$port"
is "$(tail -c 8 "$work/out")" ' 3000000' 'neither side can hold up the other'
is "$(wc -c <"$work/out" | tr -d ' ')" 3000008 'and nothing is lost'
stop "$server"

# A server that has said all, and goes on listening.
serve /usr/bin/tcpserver "$work/server.log" 127.0.0.1 perl -e '
	use Socket; $| = 1; print "bye"; shutdown STDIN, 1; local $/; $_ = <STDIN>;
	open my $f, ">", $ARGV[0]; print $f $_' "$work/heard"
run on-socket -p 'expect=bye' end 'send=but then' shut -- tcpclient 127.0.0.1 "$port"
is "$code" 0 "the server's end reaches the output, the input goes on"
wait_until test -s "$work/heard"
is "$(cat "$work/heard")" 'but then' 'to its own end'
stop "$server"

# At a terminal its end is the end.
serve /usr/bin/tcpserver "$work/server.log" 127.0.0.1 sh -c 'echo bye'
mkfifo "$work/keys"
script -qec "tcpclient 127.0.0.1 $port; echo code=\$?" /dev/null <"$work/keys" >"$work/out" 2>&1 &
started="$started $!"
exec 9>"$work/keys"
wait_for_line "$work/out" '^code=0'
like "$(tr -d '\r' <"$work/out")" '^bye$' 'at a terminal the server speaks'
like "$(tr -d '\r' <"$work/out")" '^code=0$' 'and ends it all'
exec 9>&-
stop "$server"

# One that takes no more.
serve /usr/bin/tcpserver "$work/server.log" 127.0.0.1 sh -c 'echo go away'
code=0
tcpclient 127.0.0.1 "$port" </dev/zero >"$work/out" 2>"$work/log" || code=$?
is "$code" 111 'a server that hangs up before it has heard all: 111'
like "$(cat "$work/log")" \
	'^tcpclient: fatal: unable to (write to|read from) server: (broken pipe|connection reset)$' 'and why'
# The answer to what comes too late is a reset, which ends the wait for more.
run on-socket -p 'expect=go away\n' end 'send=x' -- tcpclient 127.0.0.1 "$port"
is "$code" 111 'so does hanging up on what came later'
stop "$server"
done_testing
