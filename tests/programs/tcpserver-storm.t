#!/bin/sh
# tcpserver when there is too much: ten thousand clients who do nothing, no
# descriptors, no processes, balancers who never finish what they say, and a
# storm with limits while it restarts.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016 # the programs' shells expand
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../tcpserver.sh
. "$tests/tcpserver.sh"
need perl tcprules prlimit

mkdir "$work/control"
echo server.example >"$work/control/me"
echo server.example >"$work/control/rcpthosts"
CONTROLDIR=$work/control
export CONTROLDIR
rules "$work/rules.cdb" <<'RULES'
127.0.0.1:allow,PROXY="1"
127.96.:allow,MAXCONNIP="1"
:allow
RULES

# ticks: the server's, of which there are 100 in a second. resident: KiB
ticks() {
	sed 's/.*) //' "/proc/$server/stat" | awk '{ print $12 + $13 }'
}
resident() {
	awk '/^VmHWM:/ { print $2 }' "/proc/$server/status"
}
describe() {
	echo "# $1:$(awk '/^Vm(RSS|HWM|Size):/ { printf " %s %s kB", $1, $2 }' \
		"/proc/$server/status"), $(ticks) ticks"
}
# all_come COUNT ADDRESSES: so many clients, who leave when they are greeted
all_come() {
	storm "$port" "$1" "$2" "$1" | sed '$d' | tr '\n' ' '
}
# stay COUNT: clients who stay until $crowd is killed; what they were told
mkfifo "$work/told"
stay() {
	idle "$port" "$1" >"$work/told" &
	crowd=$!
	started="$started $crowd"
	told=$(cat "$work/told")
}
# is_last LINE NAME: the log ends with it, sooner or later. With a status, all
# that has come to an end has been seen.
last_is() {
	[ "$(tail -n 1 "$work/log")" = "tcpserver: $1" ]
}
is_last() {
	wait_until last_is "$1"
	is "$(tail -n 1 "$work/log")" "tcpserver: $1" "$2"
}
# Each session that has begun has ended, once, and none that was not known.
all_have_ended() {
	is "$(grep -c '^tcpserver: end ' "$work/log") $(mask | grep -c ' [?] ')" \
		"$(grep -c '^tcpserver: pid ' "$work/log") 0" "$1"
}

# --- ten thousand clients who do nothing ---

# A test beside this one may need as many processes: half of what there is.
wanted=10000 size=200 passing=1000
[ -z "${SANITIZE:-}" ] || wanted=200 size=20000 passing=100     # and time
read -r room limit <<END
$(process-room $size)
END
many=$wanted
[ $((room / 2)) -ge "$many" ] || many=$((room / 2))
echo "# $many clients who do nothing; $limit leaves room for $room"
name="there are as many as there should be"
if [ "$many" -eq "$wanted" ]; then ok "$name"
else skip "$limit leaves room for $room" "$name"
fi

# calls SESSIONS NAME: the server's system calls for 100 clients, in $calls;
# none when it may not be watched
is_watched_or_not() {
	grep -q attached "$work/strace" || ! kill -0 "$tracer"
}
calls() {
	: >"$work/strace"
	strace -o "$work/trace" -p "$server" 2>"$work/strace" &
	tracer=$!
	started="$started $tracer"
	wait_until is_watched_or_not
	all_come 100 100 >/dev/null
	is_last "status: $1/11000" "$2"
	stop "$tracer"
	calls=$(wc -l <"$work/trace")
}
# growth NAME: no more memory than a little for each session
growth() {
	if [ -n "${SANITIZE:-}" ]; then
		skip 'a sanitizer keeps what is free' "$1"
		return
	fi
	growth=$(($(resident) - resident_before))
	is "$([ $growth -lt $((1000 + many / 2)) ] || echo "$growth kB")" '' "$1"
}
DIEMSG=421 listen -v -R -H -l 0 -c 11000 -b 1000 -x "$work/rules.cdb" \
	127.0.0.1 0 smtpd
is "$(all_come $passing 1000)" "good 220 1 storm 220 $passing " \
	"$passing clients, one after the other"
is_last 'status: 0/11000' 'who leave'
calls 0 '100 more'
calls_alone=$calls
resident_before=$(resident)
describe 'with nobody'
stay "$many"
is "$told" "220 $many" "$many clients who stay: each is greeted"
describe "with $many"
growth 'in little memory'
kill -USR1 "$server"
is_last "clients: $many of 11000" 'and is one of so many'
is "$(sed -n 's/^tcpserver: client [0-9]* from \(127[0-9.]*\) port .*/\1/p' \
	"$work/log" | sort -u | wc -l)" "$many" 'with a line in the table'
before=$(ticks)
is "$(all_come $passing 1000)" "good 220 1 storm 220 $passing " \
	"$passing more come and go while they are there"
is_last "status: $many/11000" 'and are not counted any more'
echo "# which took $(($(ticks) - before)) ticks"
calls "$many" 'and 100'
name='as many system calls for each as without them'
if [ "$calls_alone" -gt 0 ]; then
	echo "# $calls system calls for 100 clients, $calls_alone without the others"
	is "$([ "$calls" -le $((calls_alone * 3 / 2)) ] || echo "$calls")" '' "$name"
else skip "$(head -n 1 "$work/strace")" "$name"
fi
is "$(talk -f 127.96.0.1)" "$(printf '421\r')" 'a second one from such an address is refused'
restart
kill -USR1 "$server"
is_last "clients: $many of 11000" 'after a restart they are as many'
describe 'after a restart'
growth 'in as little memory'
is "$(talk -f 127.96.0.1)" "$(printf '421\r')" 'and count'
is "$(all_come $passing 1000)" "good 220 1 storm 220 $passing " "$passing more again"
is_last "status: $many/11000" 'and gone'
stop "$crowd"
is_last 'status: 0/11000' 'and when all leave, all is over'
all_have_ended 'as the log says of each'
is "$(grep -c warning "$work/log")" 0 'with no warning'
describe 'at last'
stop "$server"

# --- no descriptors ---

# Clients behind a balancer, who must be waited for, hold one each.
# begin_dribble COUNT [TIMES]: $slow, the one that plays them
begin_dribble() {
	rm -f "$work/there"
	dribble -m "$work/there" "$port" "$@" >"$work/dribbled" &
	slow=$!
	started="$started $slow"
	wait_until test -e "$work/there"
}
# is_idle BEFORE NAME: it has used less than half a second
is_idle() {
	used=$(($(ticks) - $1))
	is "$([ $used -lt 50 ] || echo "$used ticks")" '' "$2"
}
under='prlimit --nofile=40'
listen -v -R -H -l 0 -c 200 -b 1000 -x "$work/rules.cdb" 127.0.0.1 0 echo 220
under=
begin_dribble 20
wait_for_line "$work/log" 'warning: no descriptors'
hold "$work/other" -f 127.0.0.2
kill -USR1 "$server"
wait_for_line "$work/log" ' of 200$'
places=$(sed -n 's/^tcpserver: clients: \([0-9]*\) of 200$/\1/p' "$work/log")
is "$(grep warning "$work/log")" \
	"tcpserver: warning: no descriptors for more than $places clients who wait" \
	'no more are waited for than there are descriptors'
restart
kill -USR1 "$server"
wait_for_count 2 "clients: $places of 200\$"
ok 'there are enough for a restart'
before=$(ticks)
wait "$client"
is "$(cat "$work/other")" 220 'who comes behind them has his turn'
late=$(grep -c ': timed out$' "$work/log")
is "$([ "$late" -le "$places" ] || echo "$late")" '' \
	'as soon as the first of them are late'
is_idle "$before" 'until then there is nothing to do'
is "$(grep -c 'unable to wait' "$work/log")" 0 'nobody has been dropped for it'
stop "$slow"
stop "$server"

# Who takes them away later.
listen -v -R -H -l 0 -c 200 -b 1000 -x "$work/rules.cdb" 127.0.0.1 0 echo 220
is "$(all_come 1 1)" 'good 220 1 storm 220 1 ' 'there are some at first'
files=$(prlimit --nofile --output SOFT --noheadings -p "$server")
used=3
while [ -L "/proc/$server/fd/$used" ]; do used=$((used + 1)); done
prlimit --nofile=$used: -p "$server"
before=$(ticks)
begin_dribble 10
is "$(all_come 10 10)" 'good 220 1 storm 220 10 ' \
	'no descriptors at all: who needs none is served'
wait "$slow"
is "$(grep 'warning' "$work/log" | sort | uniq -c | sed 's/^ *//; s/: [^:]*$//')" \
	'10 tcpserver: warning: dropping connection, unable to wait for the client' \
	'and who needs one is dropped'
is_idle "$before" 'one in a while'
prlimit --nofile="$files": -p "$server"
is "$(printf 'PROXY TCP4 203.0.113.7 198.51.100.1 4711 25\r\n' |
	tcp-talk 127.0.0.1 "$port")" 220 'until there are some'
is_last 'status: 0/200' 'and all are gone'
stop "$server"

# The system's table is full: also for root, who could go on.
name='no descriptors in the whole system: a pause'
if can_trace "$name"; then
	under="strace -D -o $work/trace -e trace=accept,accept4
		-e inject=accept,accept4:error=ENFILE:when=1..5"
	listen -v -R -H -l 0 127.0.0.1 0 echo 220
	under=
	is "$(all_come 10 10)" 'good 220 1 storm 220 10 ' "$name, and then all"
	is "$(grep -c '^accept.*INJECTED' "$work/trace") $(
		grep -c 'warning: unable to accept a connection: ' "$work/log")" \
		'5 1' 'with one warning'
	stop "$server"
fi

# --- no processes ---

# A user of our own: processes of the same one elsewhere would count as well.
# Others than root have a name space of their own.
if [ "$(id -u)" -eq 0 ]; then
	as_user="-u $((4000000 + $$)) -g $((4000000 + $$))" under=
else as_user='' under='unshare -U'
fi
chmod 755 "$work" "$work/control"
name='no processes: nobody is served'
if $under prlimit --nproc=3 sh -c '(exit 0)' 2>/dev/null; then
	under="$under prlimit --nproc=12"
	# shellcheck disable=SC2086 # words
	listen -v -R -H -l 0 -b 1000 $as_user 127.0.0.1 0 smtpd
	under=
	stay 11
	is "$told" '220 11' 'as many as there may be processes'
	before=$(ticks)
	is "$(all_come 20 20)" 'good end 1 storm end 20 ' "$name"
	is "$(grep warning "$work/log" | sort | uniq -c | sed 's/^ *//; s/: [^:]*$//')" \
		'21 tcpserver: warning: dropping connection, unable to fork' \
		'as the log says of each'
	is_idle "$before" 'one in a while'
	is_last 'status: 11/40' 'who is there, stays'
	stop "$crowd"
	is_last 'status: 0/40' 'when they leave'
	is "$(all_come 10 10)" 'good 220 1 storm 220 10 ' 'all is well'
	stop "$server"
else skip 'another user is needed' "$name"
fi

# --- balancers who never finish ---

# They say a byte again and again, come back as soon as they are thrown out, and
# are more than there are places.
listen -v -R -H -l 0 -c 10 -b 1000 -x "$work/rules.cdb" 127.0.0.1 0 echo 220
begin_dribble 15 100
before=$(ticks)
hold "$work/other" -f 127.0.0.2
wait "$client"
is "$(cat "$work/other")" 220 \
	'no byte prolongs it: another one gets in when his turn comes'
late=$(grep -c ': timed out$' "$work/log")
is "$([ "$late" -le 15 ] || echo "$late")" '' \
	'which is after those who were there before'
is "$(awk -F '[ /]' '$2 == "status:" && $3 > 10' "$work/log")" '' \
	'they have had no more places than there are'
is_idle "$before" 'nor much of its time'
stop "$slow"
stop "$server"

# --- a storm with limits, and restarts ---

# As in tcpserver-limits.t: a good client keeps to what he may, the others try
# 50 times and have 3 at once, and one more every 20 seconds.
rules "$work/limits.cdb" <<'RULES'
127.64.:allow,MAXRATEIP="3"
127.32.:allow,MAXRATEIP="10"
127.96.:allow,MAXCONNIP="1"
RULES
addresses=200
[ -z "${SANITIZE:-}" ] || addresses=40
connections=$((50 * addresses))
MAXCONNIP=5 MAXCONNC=200 MAXRATEC=10000 DIEMSG=421 listen -v -R -H -l 0 \
	-c 300 -b 1000 -x "$work/limits.cdb" 127.0.0.1 0 smtpd
stay 50
is "$told" '220 50' '50 who stay'
begun=$(grep -c '^tcpserver: pid ' "$work/log")
storm "$port" $connections $addresses $((addresses / 4)) >"$work/stormed" &
client=$!
started="$started $client"
i=0
while [ $i -lt 10 ]; do
	i=$((i + 1))
	while [ $(($(grep -c '^tcpserver: pid ' "$work/log") - begun)) -lt \
		$((i * connections / 12)) ]; do
		sleep 0.02
		kill -0 "$client" 2>/dev/null || break
	done
	kill -HUP "$server"
done
wait "$client"
sed 's/^/# /' "$work/stormed"
is "$(awk '$1 == "good" { print $2, $3 }' "$work/stormed")" '220 200' \
	'ten restarts in a storm: all who keep to their share get in'
is "$(awk '$1 == "storm" && $2 != 220 && $2 != 421' "$work/stormed")" '' \
	'all others get an answer'
is "$(awk -v addresses=$addresses '$1 == "storm" && $2 == 220 { served = $3 }
	NF == 1 && (served < addresses * 3 || served > addresses * (3 + $1 / 20)) {
		print served }' "$work/stormed")" '' \
	'of the others as many as may: no restart forgets a rate'
is_last 'status: 50/300' 'those who stay are counted'
is "$(talk -f 127.96.0.50)" "$(printf '421\r')" 'and for the limits, too'
describe 'at last'
stop "$crowd"
is_last 'status: 0/300' 'until they leave'
all_have_ended 'as the log says of each'
is "$(grep -c warning "$work/log")" 0 'with no warning'
stop "$server"
done_testing
