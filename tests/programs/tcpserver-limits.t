#!/bin/sh
# tcpserver's limits: MAXLOAD, MAXCONNIP, MAXCONNC, MAXRATEIP and MAXRATEC from
# the environment and from rules, what the refused are told, and a storm.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016 # the programs' shells expand
. "$(dirname "$0")/../lib.sh"
need perl tcprules prlimit
unset MAXLOAD MAXCONNIP MAXCONNC MAXRATEIP MAXRATEC DIEMSG

log=$work/log
# listen ARGUMENT…: a tcpserver whose log is in $log. It runs under the command
# $under. The first words are settings.
under=
listen() {
	listen_settings=
	while :; do
		case $1 in
		*=*) listen_settings="$listen_settings $1"; shift ;;
		*) break ;;
		esac
	done
	# shellcheck disable=SC2086 # words
	start_server "$log" env $listen_settings $under "$bin/tcpserver" -1 "$@"
}
# serve SETTING… [OPTION…]: one whose program says 220 and waits for the end
serve() {
	listen "$@" -v -R -H -l server.example 0 0 \
		sh -c 'echo 220 hello; exec cat >/dev/null'
}
rules() {
	tcprules "$work/rules.cdb" "$work/rules.tmp"
}
# refused: what the log says behind the addresses of who was denied
refused() {
	sed -n 's/^tcpserver: deny [0-9]* server.example:[^ ]* [^ ]*//p' "$log" |
		sort | uniq -c | sed 's/^ *//'
}
# The log has a line for each of its sessions' ends; so nobody counts any more.
all_have_left() {
	[ "$(grep -c '^tcpserver: ok' "$log")" -eq \
		"$(grep '^tcpserver: end' "$log" | grep -vc ' status 25600$')" ]
}
# --- the guides' command line ---

# A machine with something to do refuses by its load: another test.
max_load=150
awk '{ exit $1 < 1 }' /proc/loadavg && max_load=100000
set_guide() {
	MAXLOAD=$max_load
	MAXCONNIP=2
	MAXCONNC=5
	DIEMSG='421 server.example Service temporarily unavailable'
	DIEMSG_MAXLOAD='421 server.example Server busy, try again later.'
	DIEMSG_MAXCONNIP='421 server.example Too many connections from your IP.'
	DIEMSG_MAXCONNC='421 server.example Too many connections from your network.'
	export MAXLOAD MAXCONNIP MAXCONNC DIEMSG DIEMSG_MAXLOAD \
		DIEMSG_MAXCONNIP DIEMSG_MAXCONNC
}
unset_guide() {
	unset MAXLOAD MAXCONNIP MAXCONNC DIEMSG DIEMSG_MAXLOAD \
		DIEMSG_MAXCONNIP DIEMSG_MAXCONNC
}
set_guide
printf '127.0.0.1:allow,PROXY="1"\n:allow,PROXY="0"\n' | rules
serve -c 30 -x "$work/rules.cdb"
is "$(crowd "$port" 127.0.0.2 127.0.0.2 127.0.0.2 127.0.0.3)" \
	"127.0.0.2 220 hello
127.0.0.2 220 hello
127.0.0.2 421 server.example Too many connections from your IP.\\r\\n(end)
127.0.0.3 220 hello" "the third from one address is told so"
is "$(refused)" "1  MAXCONNIP:2" "and the log says what refused him"
wait_until all_have_left
is "$(crowd "$port" 127.0.0.2 127.0.0.2 127.0.0.3 127.0.0.4 127.0.0.5 \
	127.0.0.255 127.0.1.1 127.0.0.2)" \
	"127.0.0.2 220 hello
127.0.0.2 220 hello
127.0.0.3 220 hello
127.0.0.4 220 hello
127.0.0.5 220 hello
127.0.0.255 421 server.example Too many connections from your network.\\r\\n(end)
127.0.1.1 220 hello
127.0.0.2 421 server.example Too many connections from your IP.\\r\\n(end)" \
	"the sixth of a /24 too; who has too many in both is told of his own"
is "$(refused)" "1  MAXCONNC:5
2  MAXCONNIP:2" "the log names the network's limit"
wait_until all_have_left
is "$(crowd "$port" 127.0.0.2 127.0.0.2)" "127.0.0.2 220 hello
127.0.0.2 220 hello" "when they have left, there is room again"
like "$(cat "$log")" \
	"^tcpserver: deny $server server.example:127\\.0\\.0\\.1:$port :127\\.0\\.0\\.2::[0-9]+ MAXCONNIP:2\$" \
	"the whole line is the patch's"
like "$(cat "$log")" "^tcpserver: end $server status 25600\$" \
	"the status is that of exit code 100"

wait_until all_have_left
is "$(crowd "$port" @192.0.2.1 @192.0.2.1 @192.0.2.1 @192.0.2.2 @192.0.2.2 \
	@192.0.2.3 @192.0.2.4 @192.0.3.1)" \
	"@192.0.2.1 220 hello
@192.0.2.1 220 hello
@192.0.2.1 421 server.example Too many connections from your IP.\\r\\n(end)
@192.0.2.2 220 hello
@192.0.2.2 220 hello
@192.0.2.3 220 hello
@192.0.2.4 421 server.example Too many connections from your network.\\r\\n(end)
@192.0.3.1 220 hello" "behind a balancer each client counts for himself"
wait_until all_have_left
is "$(crowd "$port" @2001:db8:1:1::1 @2001:db8:1:1:ffff::2 @2001:db8:1:1::3 \
	@2001:db8:1:2::1 @2001:db8:1:2::1 @2001:db8:1:ffff::1 @2001:db8:1:3::1 \
	@2001:db8:2:1::1)" \
	"@2001:db8:1:1::1 220 hello
@2001:db8:1:1:ffff::2 220 hello
@2001:db8:1:1::3 421 server.example Too many connections from your IP.\\r\\n(end)
@2001:db8:1:2::1 220 hello
@2001:db8:1:2::1 220 hello
@2001:db8:1:ffff::1 220 hello
@2001:db8:1:3::1 421 server.example Too many connections from your network.\\r\\n(end)
@2001:db8:2:1::1 220 hello" "with IPv6 a /64 is an address and a /48 a network"
stop "$server"

LIMIT_PREFIX_IP4=31 LIMIT_PREFIX_C4=0 LIMIT_PREFIX_IP6=128 \
	LIMIT_PREFIX_C6=126 serve -x "$work/rules.cdb"
is "$(crowd "$port" @192.0.2.2 @192.0.2.3 @192.0.2.3 @192.0.2.4 @10.0.0.1 \
	@10.0.0.3 @10.0.0.6)" \
	"@192.0.2.2 220 hello
@192.0.2.3 220 hello
@192.0.2.3 421 server.example Too many connections from your IP.\\r\\n(end)
@192.0.2.4 220 hello
@10.0.0.1 220 hello
@10.0.0.3 220 hello
@10.0.0.6 421 server.example Too many connections from your network.\\r\\n(end)" \
	"the lengths for IPv4 can be others"
wait_until all_have_left
is "$(crowd "$port" @2001:db8::1 @2001:db8::1 @2001:db8::1 @2001:db8::2 \
	@2001:db8::2 @2001:db8::3 @2001:db8::0 @2001:db8::4)" \
	"@2001:db8::1 220 hello
@2001:db8::1 220 hello
@2001:db8::1 421 server.example Too many connections from your IP.\\r\\n(end)
@2001:db8::2 220 hello
@2001:db8::2 220 hello
@2001:db8::3 220 hello
@2001:db8::0 421 server.example Too many connections from your network.\\r\\n(end)
@2001:db8::4 220 hello" "and for IPv6"
stop "$server"
unset_guide

# --- IPv6 on the wire ---

if has_ipv6 'the third from ::1'; then
	MAXCONNIP=2 DIEMSG='421 too many' listen -v -R -H -l server.example \
		::1 0 sh -c 'echo 220 hello; exec cat >/dev/null'
	is "$(crowd "$port" ::1 ::1 ::1)" "::1 220 hello
::1 220 hello
::1 421 too many\\r\\n(end)" "the third from ::1"
	stop "$server"
fi

# Many addresses in a network of our own.
cat >"$work/namespace" <<'NAMESPACE'
set -e
ip link set lo up
for address in 1:1::1 1:1:ffff::2 1:1::3 1:2::1 1:2::2 1:3::1 1:4::1 2:1::1
do ip -6 address add "2001:db8:$address/128" dev lo nodad
done
MAXCONNIP=2 MAXCONNC=5 DIEMSG=421 DIEMSG_MAXCONNC='421 network' \
	tcpserver -1 -v -RHl server.example :: 0 \
	sh -c 'echo 220 hello; exec cat >/dev/null' >"$1/port" 2>"$1/log" &
trap 'kill $!; wait $! || :' EXIT
until [ -s "$1/port" ]; do sleep 0.02; done
crowd "$(cat "$1/port")" 2001:db8:1:1::1 2001:db8:1:1:ffff::2 2001:db8:1:1::3 \
	2001:db8:1:2::1 2001:db8:1:2::2 2001:db8:1:3::1 2001:db8:1:4::1 \
	2001:db8:2:1::1
NAMESPACE
if ! is_here ip 'a network of our own'; then :
elif unshare -rn sh -c 'ip link set lo up && ip -6 address add 2001:db8::1/128 dev lo nodad' 2>/dev/null; then
	rm -f "$work/port"
	is "$(timeout 60 unshare -rn sh "$work/namespace" "$work" 2>&1)" \
		"2001:db8:1:1::1 220 hello
2001:db8:1:1:ffff::2 220 hello
2001:db8:1:1::3 421\\r\\n(end)
2001:db8:1:2::1 220 hello
2001:db8:1:2::2 220 hello
2001:db8:1:3::1 220 hello
2001:db8:1:4::1 421 network\\r\\n(end)
2001:db8:2:1::1 220 hello" "two from a /64, five from a /48"
	is "$(refused)" "1  MAXCONNC:5
1  MAXCONNIP:2" "in the log as for IPv4"
else
	skip "no network of our own" "two from a /64, five from a /48"
	skip "no network of our own" "in the log as for IPv4"
fi

# --- MAXLOAD ---

# The system's load, which any limit below it exceeds. It is counted anew every
# five seconds; somebody must do something if it is too near to 0.
load_is_felt() {
	timeout 0.5 sh -c 'while :; do :; done'
	awk '{ exit $1 < 0.05 }' /proc/loadavg
}
DIEMSG_MAXLOAD='421 busy'
DIEMSG='421 other'
export DIEMSG_MAXLOAD DIEMSG
if wait_until load_is_felt; then
	printf '%s\n' '127.0.0.2:allow,MAXLOAD="100000"' '127.0.0.3:deny' \
		'127.0.0.4:allow,MAXLOAD="0"' '127.0.0.5:allow,MAXLOAD=""' \
		'127.0.0.6:allow,MAXCONNIP="0"' \
		'127.0.0.7:deny,DIEMSG_MAXLOAD="421 both"' | rules
	MAXLOAD=1 serve -x "$work/rules.cdb"
	is "$(crowd "$port" 127.0.0.1 127.0.0.2 127.0.0.3 127.0.0.4 127.0.0.5 \
		127.0.0.6 127.0.0.7)" "127.0.0.1 421 busy\\r\\n(end)
127.0.0.2 220 hello
127.0.0.3 421 busy\\r\\n(end)
127.0.0.4 220 hello
127.0.0.5 220 hello
127.0.0.6 421 busy\\r\\n(end)
127.0.0.7 421 both\\r\\n(end)" \
		"above MAXLOAD all are refused, whatever else would refuse them"
	is "$(refused | sed 's/^[1-4] *MAXLOAD:[0-9][0-9]*$/LOAD/')" "LOAD" \
		"the log says how high the load is"
	stop "$server"

	# Equal is not above. The load may change while we look: then we have not
	# seen anything.
	load_stood_still() {
		MAXLOAD=1 serve
		crowd "$port" 127.0.0.1 >/dev/null
		load=$(sed -n 's/.*MAXLOAD://p' "$log")
		stop "$server"
		MAXLOAD=$load serve
		equal=$(crowd "$port" 127.0.0.1)
		stop "$server"
		MAXLOAD=$((load - 1)) serve
		above=$(crowd "$port" 127.0.0.1)
		seen=$(sed -n 's/.*MAXLOAD://p' "$log")
		stop "$server"
		[ "$seen" = "$load" ]
	}
	wait_until load_stood_still
	is "$equal
$above" '127.0.0.1 220 hello
127.0.0.1 421 busy\r\n(end)' "a load that equals MAXLOAD is let in"
else
	for test in "above MAXLOAD all are refused, whatever else would refuse them" \
		"the log says how high the load is" \
		"a load that equals MAXLOAD is let in"
	do skip "the load stays 0 here" "$test"
	done
fi
MAXLOAD=0 serve
is "$(crowd "$port" 127.0.0.1)" "127.0.0.1 220 hello" "MAXLOAD=0 is no limit"
stop "$server"
unset DIEMSG DIEMSG_MAXLOAD

# --- rules and texts ---

printf '%s\n' '127.0.0.1:allow' \
	'127.0.0.2:allow,MAXCONNIP="1"' \
	'127.0.0.3:allow,MAXCONNIP="0",DIEMSG_MAXCONNIP="421 rule"' \
	'127.0.0.4:allow,MAXCONNIP="0",DIEMSG_MAXCONNIP="",DIEMSG="421 all"' \
	'127.0.0.5:allow,MAXCONNIP="0",DIEMSG_MAXCONNIP="",DIEMSG=""' \
	'127.0.0.6:allow,MAXCONNIP="",MAXCONNC="0"' \
	'127.0.0.7:deny' \
	'127.0.0.8:deny,DIEMSG="421 not you"' \
	'127.0.0.9:deny,DIEMSG="",MAXCONNIP="0"' \
	'127.0.1.:allow,MAXCONNIP="",MAXRATEIP="0"' \
	'127.0.2.:allow,MAXCONNIP="0",MAXCONNIP="3"' | rules
MAXCONNIP=3 DIEMSG='421 environment' DIEMSG_MAXCONNIP='421 address' \
	serve -x "$work/rules.cdb"
is "$(crowd "$port" '127.0.0.1*4' 127.0.0.2 127.0.0.2 127.0.0.3 127.0.0.4 \
	127.0.0.5 127.0.0.6 127.0.0.7 127.0.0.8 127.0.0.9 127.0.1.1 127.0.2.1)" \
	"3 x 127.0.0.1 220 hello
1 x 127.0.0.1 421 address\\r\\n(end)
127.0.0.2 220 hello
127.0.0.2 421 address\\r\\n(end)
127.0.0.3 421 rule\\r\\n(end)
127.0.0.4 421 all\\r\\n(end)
127.0.0.5 (end)
127.0.0.6 421 environment\\r\\n(end)
127.0.0.7 421 environment\\r\\n(end)
127.0.0.8 421 not you\\r\\n(end)
127.0.0.9 (end)
127.0.1.1 421 environment\\r\\n(end)
127.0.2.1 220 hello" "a rule's limits and texts come before the environment's"
is "$(refused)" "3 
1  MAXCONNC:0
3  MAXCONNIP:0
1  MAXCONNIP:1
1  MAXCONNIP:3
1  MAXRATEIP:0" "each by its name, a deny rule by none"
is "$(grep -c warning "$log")" 0 "an empty value is no limit, and no mistake"
stop "$server"

listen MAXCONNIP=5 -R -H -l server.example -x "$work/rules.cdb" 0 0 \
	sh -c 'echo "220 $MAXCONNIP"'
is "$(crowd "$port" 127.0.0.1 127.0.0.2)" "127.0.0.1 220 5
127.0.0.2 220 1" "the program sees the limits in its environment"
stop "$server"

# --- what is no number ---

printf '%s\n' '127.0.0.2:allow,MAXCONNIP="many",MAXRATEC="-1"' \
	'127.0.0.3:allow,MAXCONNIP="0 sessions"' | rules
listen MAXCONNC=none MAXLOAD=99999e9 -R -H -l server.example -x "$work/rules.cdb" \
	0 0 echo 220
is "$(crowd "$port" '127.0.0.2*3' 127.0.0.2 127.0.0.3 127.0.0.1)" \
	"3 x 127.0.0.2 220
127.0.0.2 220
127.0.0.3 (end)
127.0.0.1 220" "what begins with no digit is no limit"
is "$(cat "$log")" "tcpserver: warning: MAXLOAD 99999e9 counts up to its last digit
tcpserver: warning: MAXCONNC none is no number
tcpserver: warning: MAXCONNIP many is no number
tcpserver: warning: MAXRATEC -1 is no number" "and is warned of once"
stop "$server"

failure() {
	failure_code=0
	failure_text=$(timeout 20 env "$@" 127.0.0.1 0 true 2>&1) || failure_code=$?
	printf '%s\n%s\n' "$failure_text" "$failure_code"
}
is "$(failure LIMIT_PREFIX_IP4=33 tcpserver)" \
	"tcpserver: fatal: LIMIT_PREFIX_IP4 is a number from 0 to 32, not 33
100" "a length that IPv4 does not have"
is "$(failure LIMIT_PREFIX_C6=/48 tcpserver)" \
	"tcpserver: fatal: LIMIT_PREFIX_C6 is a number from 0 to 128, not /48
100" "or that is no number"
is "$(failure LIMIT_PREFIX_C4=-1 tcpserver -q)" "
100" "in silence with -q"
name="sessions that could not be counted are not promised"
if [ -n "${SANITIZE:-}" ]; then skip "the sanitizer needs memory" "$name"
else
	is "$(failure prlimit --as=3000000 --data=3000000 tcpserver -c 4000000)" \
		"tcpserver: fatal: out of memory for MAXCONNIP tracking
111" "$name"
fi

# --- rates ---

printf '%s\n' '127.0.0.9:allow,MAXRATEIP="1000",DIEMSG_MAXRATEC="421 both"' \
	'127.0.1.:allow,MAXRATEC="0",DIEMSG_MAXRATEIP="421 of yours"' \
	'127.0.2.:deny' '127.0.3.:allow,MAXRATEIP="30",MAXRATEC=""' | rules
echo 100 >"$work/places"
MAXRATEIP=2 MAXRATEC=5 DIEMSG='421 often' DIEMSG_MAXRATEIP='421 your IP' \
	serve -c "$work/places" -x "$work/rules.cdb"
is "$(crowd "$port" '127.0.0.1*4' '127.0.0.2*4' '127.0.0.3*2' 127.0.0.9 \
	127.0.0.1 127.0.1.1 '127.0.2.1*2' )" "2 x 127.0.0.1 220 hello
2 x 127.0.0.1 421 your IP\\r\\n(end)
2 x 127.0.0.2 220 hello
2 x 127.0.0.2 421 your IP\\r\\n(end)
1 x 127.0.0.3 220 hello
1 x 127.0.0.3 421 often\\r\\n(end)
127.0.0.9 421 both\\r\\n(end)
127.0.0.1 421 your IP\\r\\n(end)
127.0.1.1 421 often\\r\\n(end)
2 x 127.0.2.1 421 often\\r\\n(end)" "new connections a minute, by address and network"
is "$(refused)" "2 
1  MAXRATEC:0
2  MAXRATEC:5
5  MAXRATEIP:2" "in the log"
# 30 at once, one more every two seconds.
is "$(crowd "$port" '127.0.3.1*30' | sed 's/ .*421.*//')" \
	"30 x 127.0.3.1 220 hello" "all of a share may come at once"
may_come() {
	crowd "$port" 127.0.3.1 | grep -q 220
}
wait_until eval '! may_come'
is "$?" 0 "then they come too often"
wait_until may_come
is "$?" 0 "but not for long"

echo 101 >"$work/places"
kill -HUP "$server"
restarted() {
	crowd "$port" 127.0.0.3 >"$work/told"
	grep -q '^tcpserver: status: .*/101' "$log"
}
wait_until restarted
is "$(crowd "$port" 127.0.0.3 127.0.0.1)" "127.0.0.3 421 often\\r\\n(end)
127.0.0.1 421 your IP\\r\\n(end)" \
	"who came often before a restart has not been forgotten"
stop "$server"

# --- the refused ---

printf '%s\n' '127.0.0.2:allow,MAXCONNIP="0",DIEMSG="421 come back later"' \
	'127.0.0.3:allow' | rules
serve -c 1 -b 200 -x "$work/rules.cdb"
is "$(crowd "$port" '127.0.0.2*100' 127.0.0.3)" \
	"100 x 127.0.0.2 421 come back later\\r\\n(end)
127.0.0.3 220 hello" "a hundred that are refused do not take the only place"
like "$(cat "$log")" '^tcpserver: status: 0/1$' "nor hold it"
unlike "$(cat "$log")" '^tcpserver: status: 2/1$' "nor come when it is taken"
wait_until all_have_left

# What a client has said already is there before the server sees it.
kill -STOP "$server"
crowd -m "$work/said" "$port" \
	"say:$(printf 'EHLO me%05000d' 0)" '127.0.0.2*20' >"$work/told" &
client=$!
started="$started $client"
wait_until test -e "$work/said"
kill -CONT "$server"
wait "$client"
is "$(cat "$work/told")" "20 x 127.0.0.2 421 come back later\\r\\n(end)" \
	"who had spoken before gets the whole text, and no reset"
stop "$server"

# --- storms ---

memory() {
	awk '/^Vm(RSS|HWM|Size):/ { printf " %s %s kB", $1, $2 }' "/proc/$1/status"
}
resident() {
	awk '/^VmHWM:/ { print $2 }' "/proc/$1/status"
}
mkdir "$work/control"
echo server.example >"$work/control/me"
echo server.example >"$work/control/rcpthosts"
CONTROLDIR=$work/control
export CONTROLDIR

# Each of the 20 good clients keeps to what he may, the others do not: of 50
# tries each has 3 at once, and one more every 20 seconds.
addresses=1000
[ -z "${SANITIZE:-}" ] || addresses=100         # and time
connections=$((50 * addresses))
printf '%s\n' '127.64.:allow,MAXRATEIP="3"' '127.32.:allow,MAXRATEIP="10"' | rules
listen MAXCONNIP=5 MAXCONNC=200 MAXRATEC=10000 DIEMSG=421 -R -H \
	-l server.example -c 300 -b 1000 -x "$work/rules.cdb" 0 0 smtpd
before=$(resident "$server")
echo "# at first:$(memory "$server")"
storm "$port" $connections $addresses $((addresses / 4)) >"$work/told"
echo "# after $connections from $addresses addresses:$(memory "$server")"
sed 's/^/# /' "$work/told"
is "$(awk '$1 == "good" { print $2, $3 }' "$work/told")" "220 200" \
	"in a storm all who keep to their share get in"
is "$(awk '$1 == "storm" && $2 != 220 && $2 != 421' "$work/told")" "" \
	"and all others get an answer"
is "$(awk -v addresses=$addresses '$1 == "storm" && $2 == 220 { served = $3 }
	NF == 1 && served >= addresses * 3 &&
		served <= addresses * (3 + $1 / 20)' \
	"$work/told" | wc -l)" 1 "of the others as many as may"
is "$(($(resident "$server") < before + 500))" 1 \
	"and it takes no more memory than for so many addresses"
stop "$server"

# No memory for them all: each of 30,000 comes once, and may.
under='prlimit --as=3000000 --data=3000000'
[ -z "${SANITIZE:-}" ] || addresses=10 under=
addresses=$((addresses * 30))
listen MAXCONNIP=5 MAXRATEIP=5 MAXRATEC=10000 -R -H -l server.example -c 300 \
	-b 1000 0 0 smtpd
under=
echo "# with a limit of 3,000,000:$(memory "$server")"
storm "$port" $addresses $addresses $((addresses / 100)) >"$work/told"
echo "# after $addresses addresses:$(memory "$server")"
is "$(sed '$d' "$work/told")" "good 220 100
storm 220 $addresses" "with little memory nobody is refused for it"
is "$(cat "$log")" "" "nor anything said"
stop "$server"
done_testing
