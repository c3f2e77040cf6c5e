#!/bin/sh
# tcp-env: the environment beside tcpserver's, what it leaves alone, and that a
# client never gets to see the log.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016 # what the programs' shells are to expand
. "$(dirname "$0")/../lib.sh"
need perl /usr/bin/tcpserver

unset PROTO LISTEN_PID LISTEN_FDS LISTEN_FDNAMES
# run COMMAND…: output in $out, exit code in $code, messages in $log.
run() {
	code=0
	"$@" >"$work/out" 2>"$work/log" </dev/null || code=$?
	out=$(tr -d '\000' <"$work/out")
	log=$(cat "$work/log")
}
usage='tcp-env: usage: tcp-env [ -hHrR ] [ -l localname ] [ -t timeout ] program [ arg ... ]'
show='env | grep -E "^(PROTO|TCP)" | sort'

# --- wrong use, and what is no connection
run tcp-env
is "$code $log" "100 $usage" 'no program: the usage, 100'
run tcp-env -z true
is "$code $log" "100 tcp-env: illegal option -- z
$usage" 'an unknown option: 100'
run tcp-env -t x true
is "$code" 100 'a timeout that is no number: 100'
run tcp-env -HR -l0 true
is "$code" 111 'no socket: 111, as from qmail'
like "$log" '^tcp-env: fatal: unable to get local address: ' 'and why'
run sh -c 'exec tcp-env -HR -l0 true <&-'
is "$code" 111 'no descriptor 0: 111'
run perl -e 'use Socket; socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, 0;
	open STDIN, "<&", $a; exec @ARGV' tcp-env -HR -l0 true
is "$code" 111 'a socket of another family: 111'
like "$log" '^tcp-env: fatal: unable to get local address: ' 'and why'
run perl -e 'use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1);
	open STDIN, "<&", $s; exec @ARGV' tcp-env -HR -l0 true
is "$code" 111 'a socket with no one at its other end: 111'
like "$log" '^tcp-env: fatal: unable to get remote address: ' 'and why'
run on-socket end -- tcp-env -HR -l0 "$work/absent"
is "$code $log" "111 tcp-env: fatal: unable to run $work/absent: file does not exist" \
	'a program that is not there: 111'

# --- the environment: tcpserver's, then ours with the same connection
start_tcpserver "$work/log" -- sh -c "$show"'
	echo ---
	unset PROTO TCPREMOTEIP
	export TCPLOCALHOST=x TCPREMOTEHOST=x TCPREMOTEINFO=x TCP6REMOTEIP=x TCP6INTERFACE=x
	exec tcp-env -HR -l server.example sh -c "$1"' - "$show"
out=$(tcp-talk 127.0.0.1 "$port" </dev/null)
is "$(printf '%s\n' "$out" | sed '1,/---/d')" "$(printf '%s\n' "$out" | sed '/---/,$d')" \
	'IPv4: the same as from tcpserver, whatever it was'
like "$out" '^TCPREMOTEIP=127\.0\.0\.1$' 'with the address of the client'
stop "$server"
if has_ipv6 'IPv6: the same too'; then
	# shellcheck disable=SC2154 # from lib.sh
	rm -f "$work/port"
	"$bin/tcpserver" -1 -R -H -l server.example ::1 0 sh -c "$show"'
		echo ---
		unset PROTO
		exec tcp-env -HR -l server.example sh -c "$1"' - "$show" >"$work/port" 2>"$work/log" &
	server=$!
	started="$started $server"
	wait_until test -s "$work/port"
	out=$(tcp-talk ::1 "$(cat "$work/port")" </dev/null)
	stop "$server"
	is "$(printf '%s\n' "$out" | sed '1,/---/d')" "$(printf '%s\n' "$out" | sed '/---/,$d')" \
		'IPv6: the same too'
	like "$out" '^PROTO=TCP6$' 'with PROTO=TCP6'
fi
run on-socket end -- tcp-env -HR -l '' sh -c "$show"
like "$out" '^TCPLOCALHOST=$' '-l and nothing: an empty name'

# --- what has been told already
for protocol in TCP TCP6; do
	PROTO=$protocol TCPREMOTEIP=192.0.2.1 run tcp-env -HR -l0 sh -c "$show"
	is "$code $out" "0 PROTO=$protocol
TCPREMOTEIP=192.0.2.1" "PROTO=$protocol: left alone, and descriptor 0 need be no socket"
done
PROTO=SSL TCPREMOTEIP=192.0.2.1 run tcp-env -HR sh -c "$show"
is "$code $out" '0 PROTO=SSL
TCPREMOTEIP=192.0.2.1' 'PROTO=SSL with the TCP variables: the same'
PROTO=SSL run on-socket end -- tcp-env -HR -l0 sh -c "$show"
like "$out" '^PROTO=TCP$' 'without them: set'
PROTO=UNIX run on-socket end -- tcp-env -HR -l0 sh -c "$show"
like "$out" '^PROTO=TCP$' 'any other PROTO: set'
PROTO=TCP run tcp-env sh -c 'exit 42'
is "$code" 42 "the exit code is the program's"

# --- the connection is left as it was
run on-socket 'send=hello' shut end -- tcp-env -HR -l0 cat
is "$out" hello 'not a byte is read'
fds='opendir my $d, "/proc/self/fd"; my $own = "/proc/$$/fd";
	print map { "$_ " } grep { (readlink("/proc/self/fd/$_") // "") ne $own } sort grep !/\D/, readdir $d'
run on-socket end -- perl -e "$fds"
wanted=$out
run on-socket end -- tcp-env -HR -l0 perl -e "$fds"
is "$out" "$wanted" 'no descriptor is left open'

# --- the log: inetd makes descriptor 2 the client's as well
run on-socket end -- sh -c 'exec tcp-env -HR -l0 sh -c "$1" 2>&0' - 'echo to the log >&2; echo to the client'
is "$out" 'to the client' 'what goes to the log does not go to the client'
run on-socket end -- sh -c 'exec tcp-env -HR -l0 "$1" 2>&0' - "$work/absent"
is "$code <$out>" '111 <>' 'nor do our own messages'
run on-socket end -- sh -c 'exec tcp-env -z 2>&0'
is "$code <$out>" '100 <>' 'nor the usage'
run on-socket end -- tcp-env -HR -l0 sh -c 'echo to the log >&2'
is "$log" 'to the log' 'any other descriptor 2 stays'
PROTO=TCP run on-socket end -- sh -c 'exec tcp-env sh -c "echo both >&2" 2>&0'
is "$out" both 'and so does one that a UCSPI server gave'
# The system's log, in a name space of its own.
for unshare in 'unshare -m' 'unshare -rm'; do
	$unshare mount --bind "$work" /mnt 2>/dev/null && break
	unshare=
done
name='each line is a message to the system log'
if [ -n "$unshare" ]; then
	# shellcheck disable=SC2086 # words
	run on-socket end -- $unshare perl -e '
		use IO::Socket::UNIX;
		mkdir "$ARGV[0]/dev"; system "mount --bind $ARGV[0]/dev /dev" and die;
		my $log = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "/dev/log") or die "$!";
		my $pid = fork // die;
		if (!$pid) { open STDERR, ">&", STDIN; exec "tcp-env", "-HR", "-l0", "sh", "-c",
			"echo one >&2; echo two >&2; echo three" }
		waitpid $pid, 0;
		$log->blocking(0);
		while (defined $log->recv(my $line, 1000)) { print "<$line>" }' "$work"
	is "$out" 'three
<one
><two
>' "$name"
else skip 'no /dev of our own' "$name"
fi

# --- systemd, with Accept=yes and without StandardInput=socket
# given PID-DIFFERENCE COUNT COMMAND…
cat >"$work/given" <<'EOF'
#!/bin/sh
exec 3<&0 </dev/null >&2
LISTEN_PID=$(($$ + $1)) LISTEN_FDS=$2 LISTEN_FDNAMES=connection
export LISTEN_PID LISTEN_FDS LISTEN_FDNAMES
shift 2
exec "$@"
EOF
chmod 755 "$work/given"
run on-socket 'send=hello' shut end -- "$work/given" 0 1 tcp-env -HR -l0 sh -c '
	cat; echo "$TCPREMOTEIP"; env | grep ^LISTEN_; (true <&3) 2>/dev/null || echo closed'
is "$out" 'hello127.0.0.1
closed' 'descriptor 3, when it is announced, is 0 and 1; nothing more is said of it'
run on-socket end -- "$work/given" 1 1 tcp-env -HR -l0 true
is "$code" 111 'announced to another process: it is not'
run on-socket end -- "$work/given" 0 2 tcp-env -HR -l0 true
is "$code" 111 'nor are two'
done_testing
