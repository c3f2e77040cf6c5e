#!/bin/sh
# The drop-in promise, side by side: what a script, a log parser or a rules file
# sees of Debian's ucspi-tcp, of its IPv6 variant and of ours is the same. What
# has a test of its own is there: recordio.t, tcprules.t, tcprulescheck.t,
# tcpserver-limits.t, ucspi-tls.t, tcpclient.t.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016,SC2317 # the programs' shells expand; called by name
. "$(dirname "$0")/../lib.sh"
plain=/usr/bin
ipv6=$top/build/deps/peers/ucspi-tcp-ipv6/usr/bin
need perl cdb "$plain/tcpserver" "$ipv6/tcpserver"

# listen ARGUMENT…: the tcpserver of the folder $side; $server and $port
listen() {
	rm -f "$work/port"
	"$side/tcpserver" -1 "$@" >"$work/port" 2>"$work/log" &
	server=$!
	started="$started $server"
	wait_until test -s "$work/port"
	port=$(cat "$work/port")
	wait_until is_listening "$port"
}
talk() {
	tcp-talk "$@" "$port" </dev/null
}
# Pids, the port and the client's ports are not the same in two runs.
mask() {
	sed -e "s/:$port /:PORT /" -e 's/:[0-9]*$/:CLIENT/' \
		-e 's/\(pid\|ok\|deny\|end\) [0-9]*/\1 PID/' \
		-e 's/PORT=[0-9]*$/PORT=N/' "$@"
}
# sides NAME FUNCTION: ours does what each of Debian's does, word for word
sides() {
	side=$bin
	"$2" >"$work/ours" 2>&1
	for peer in "$plain" "$ipv6"; do
		side=$peer
		"$2" >"$work/theirs" 2>&1
		case $peer in
		"$plain") peer_name='' ;;
		*) peer_name=' (IPv6 variant)' ;;
		esac
		same_file "$work/ours" "$work/theirs" "$1$peer_name"
	done
}

# --- tcpserver: the log, with its raw numbers, and the environment

cat >"$work/act" <<'ACT'
#!/bin/sh
[ "$ACT" != kill ] || kill -KILL $$
[ "$ACT" != env ] || env | grep '^TCP\|^PROTO\|^ACT' | sort
exit "${ACT%env}"
ACT
chmod 755 "$work/act"
"$bin/tcprules" "$work/cdb" "$work/tmp" <<'RULES'
127.0.0.2:deny
127.0.0.3:allow,ACT="3"
127.0.0.4:allow,ACT="kill"
127.0.0.5:allow,ACT="111"
127.0.0.6:allow,ACT="env",TCPLOCALHOST="of.the.rule",RELAYCLIENT=""
:allow,ACT="0"
RULES
# The IPv6 variant writes 127.0.0.1 as ::ffff:127.0.0.1 in its ok and deny
# lines, which its users complain of; ours does not, on purpose.
transcript() {
	listen -v -R -H -l mail.example.com -c 2 -x "$work/cdb" \
		127.0.0.1 0 "$work/act"
	for i in 1 2 3 4 5; do
		talk -f 127.0.0.$i 127.0.0.1
		wait_until awk -v n=$((i + 1)) '/status: 0\/2/ { n-- }
			END { exit n > 0 }' "$work/log"
	done
	stop "$server"
	mask "$work/log" | sed 's/::ffff://g'
}
sides 'the transcript of -v, numbers and all' transcript
like "$(cat "$work/ours")" '^tcpserver: end PID status 28416$' 'which has exits in'

environment() {
	listen -R -H -l mail.example.com -x "$work/cdb" 127.0.0.1 0 "$work/act"
	talk -f 127.0.0.6 127.0.0.1 | mask | grep -v '^TCP6'
	stop "$server"
}
sides 'the environment of the program, the rule last' environment

side=$bin
version_6() {
	listen -v -R -H -l mail.example.com ::1 0 \
		sh -c 'env | grep "^TCP\|^PROTO" | sort'
	talk ::1 | mask
	wait_for_line "$work/log" 'status: 0/40$' # the first; and at the end:
	wait_until sh -c "grep -c 'status: 0/40' '$work/log' | grep -qx 2"
	stop "$server"
	mask "$work/log"
}
version_6 >"$work/ours"
side=$ipv6
version_6 >"$work/theirs"
same_file "$work/ours" "$work/theirs" 'an IPv6 client: log and environment'

# --- wrong use and what cannot be done: texts and exit codes

misuse() {
	for arguments in '' '-z' '-c' '127.0.0.1' '127.0.0.1 25' \
		'127.0.0.1 no-such-service true' '198.51.100.1 0 true' \
		'host.invalid 0 true'; do
		# shellcheck disable=SC2086 # words
		timeout 60 env DNSCACHEIP=127.0.0.1 "$side/tcpserver" $arguments \
			</dev/null >"$work/out" 2>&1
		echo "$arguments: $?"
		# The synopsis differs by what is new in it; the cause of a
		# failing look-up by the resolver.
		sed -e 's/usage: .*/usage/' \
			-e 's/fatal: .* address for host.invalid.*/no host/' \
			"$work/out"
	done
	listen -R -H -l '' 127.0.0.1 0 true
	"$side/tcpserver" 127.0.0.1 "$port" true
	echo $?
	stop "$server"
}
sides 'wrong use, unknown ports, addresses in use' misuse

# --- signals

sessions_survive() {
	mkfifo "$work/gate.$$"
	listen -R -H -l '' 127.0.0.1 0 sh -c "echo there; cat '$work/gate.$$'"
	: >"$work/client"       # the last side's is no answer
	tcp-talk 127.0.0.1 "$port" </dev/null >"$work/client" &
	client=$!
	started="$started $client"
	wait_for_line "$work/client" there
	kill -TERM "$server"
	wait "$server"
	echo "tcpserver: $?"
	# Nobody may be there to read it.
	timeout 20 sh -c 'echo the session goes on >"$1"' sh "$work/gate.$$"
	wait "$client"
	cat "$work/client"
	rm "$work/gate.$$"
}
sides 'SIGTERM ends it with 0 and leaves its sessions' sessions_survive
# SIGHUP ends Debian's; ours starts anew on the same socket.
for side in "$plain" "$bin"; do
	listen -R -H -l '' 127.0.0.1 0 echo here
	kill -HUP "$server"
	case $side in
	"$plain")
		wait "$server"
		is $? 129 "SIGHUP ends Debian's"
		;;
	*)
		is "$(talk 127.0.0.1)" here 'and not ours: documented'
		stop "$server"
		;;
	esac
done

# --- rules: each reads the other's files

cat >"$work/rules" <<'RULES'
joe@127.0.0.1:allow,A="1"
xyz@=one.two.three:deny
1.2.3.37-39:allow,RELAYCLIENT="",RBLSMTPD="-Blocked",X=/a"b/
10.2-3.:deny,Y="z"
=known.edu:allow
=.abuser.edu:deny
=:allow,Q="w"
127.:allow,RELAYCLIENT=""
2001:db8::1:allow,A="six"
2001:db8::deny
:allow,MAXCONNIP="5"
127.:deny
RULES
"$bin/tcprules" "$work/ours.cdb" "$work/tmp" <"$work/rules" 2>"$work/warnings"
"$ipv6/tcprules" "$work/theirs.cdb" "$work/tmp" <"$work/rules"
cdb -d "$work/ours.cdb" >"$work/ours"
cdb -d "$work/theirs.cdb" >"$work/theirs"
same_file "$work/ours" "$work/theirs" 'the same records, IPv6 ones too'
ladder() {
	for ip in 127.0.0.1 1.2.3.38 10.3.4.5 2001:db8::1 2001:db8::2 \
		2001:db9::1 9.9.9.9; do
		for host in '' known.edu a.abuser.edu; do
			for info in '' joe; do
				env TCPREMOTEIP=$ip ${host:+TCPREMOTEHOST=$host} \
					${info:+TCPREMOTEINFO=$info} \
					"$1/tcprulescheck" "$2"
			done
		done
	done
}
ladder "$bin" "$work/theirs.cdb" >"$work/ours"
ladder "$ipv6" "$work/ours.cdb" >"$work/theirs"
same_file "$work/ours" "$work/theirs" 'each gives the same answers of the other'

# CIDR rules on whole octets are prefixes that old readers know.
"$bin/tcprules" "$work/cidr.cdb" "$work/tmp" <<'RULES'
10.0.0.0/8:deny
172.16.0.0/12:deny
:allow
RULES
is "$(TCPREMOTEIP=10.1.2.3 "$plain/tcprulescheck" "$work/cidr.cdb")" 'rule 10.:
deny connection' "Debian's reads 10.0.0.0/8"
is "$(TCPREMOTEIP=172.17.2.3 "$plain/tcprulescheck" "$work/cidr.cdb")" 'rule :
allow connection' 'and is not confused by a /12'

done_testing
