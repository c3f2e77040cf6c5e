#!/bin/sh
# jgreylist with its store in Redis: what is there, what it says to clients, and
# every way in which Redis may be away. No client is turned away for that.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/greylist.sh
. "$tests/greylist.sh"
# shellcheck source=tests/redis.sh
. "$tests/redis.sh"

tree=$JGREYLIST_DIR
unset JGREYLIST_DIR DNSCACHEIP

# use: the server that was started last, by its unix socket
use() {
	JGREYLIST_REDIS=unix:$redis_socket
	export JGREYLIST_REDIS
}
# entry KEY FIRST KEPT: first seen so many seconds ago, kept for so many
entry() {
	redis set "jgreylist:$1" $(($(date +%s) - $2)) EX "$3" >/dev/null
}
# is_kept KEY SECONDS NAME: by Redis, from now on; it rounds
is_kept() {
	left=$(redis ttl "jgreylist:$1")
	if [ "$left" -le "$2" ] && [ "$left" -gt $(($2 - 50)) ]; then ok "$3"
	else not_ok "$3" "for $left s, not $2"; fi
}
# is_away IP CAUSE NAME: the last contact was let in, as Redis was away
is_away() {
	is_verdict "$1: redis: $2
$1: OK store failed: there is no JGREYLIST_DIR" 'let in' "$3"
}
milliseconds() {
	date +%s%3N
}
# took_about MS NAME: since $began; on a busy machine longer, but not for ever
took_about() {
	took=$(($(milliseconds) - began))
	if [ $took -ge $(($1 - 100)) ] && [ $took -lt $(($1 + 4000)) ]; then
		ok "$2"
	else
		not_ok "$2" "it took $took ms, not $1"
	fi
}
known_seconds=$((36 * 86400))
waiting_seconds=$((2 * 86400))

# --- first, too soon, known
start_redis main --repl-diskless-sync-delay 0
main_port=$redis_port
use
from 192.0.2.7
is_first 192.0.2.7 'a first contact'
is "$(redis keys '*')" jgreylist:4:192.0.2 'leaves one key, of the network'
is_recent "$(redis get jgreylist:4:192.0.2)" 'that holds the time'
is_kept 4:192.0.2 $waiting_seconds 'and is kept for two days'
entry 4:192.0.2 90 5000
before=$(redis get jgreylist:4:192.0.2)
from 192.0.2.200
is_too_soon 192.0.2.200 'a neighbour within the hold time'
is "$(redis get jgreylist:4:192.0.2)" "$before" 'does not change the time'
is_kept 4:192.0.2 5000 'nor how long the entry is kept'
entry 4:192.0.2 120 5000
from 192.0.2.7
is_known 192.0.2.7 'one after the hold time'
is_kept 4:192.0.2 $known_seconds 'is kept for 36 days'
entry 4:192.0.2 4000000 1000
from 192.0.2.7
is_known 192.0.2.7 'one that was last here 36 days ago'
is_kept 4:192.0.2 $known_seconds 'is kept for 36 days again'
entry 4:192.0.2 4000000 $((known_seconds - 55))
from 192.0.2.7
left=$(redis ttl jgreylist:4:192.0.2)
is "$verdict $((left <= known_seconds - 55))" '192.0.2.7: OK known 1' \
	'one that was here within the minute: nothing is written'
redis persist jgreylist:4:192.0.2 >/dev/null
from 192.0.2.7
is_known 192.0.2.7 'an entry that somebody made to stay for ever'
is_kept 4:192.0.2 $known_seconds 'is kept for 36 days'
entry 4:192.0.2 -30 1000
from 192.0.2.7
is_too_soon 192.0.2.7 'a first contact by the clock of a faster host'
entry 4:192.0.2 10 1000
from 192.0.2.7 JGREYLIST_HOLDTIME=0
is_known 192.0.2.7 'without a hold time, the next contact'
is_kept 4:192.0.2 $known_seconds 'is kept for 36 days'
is "$(ls -A "$tree")" '' 'no folder is touched'

# --- Redis is not kept waiting, nor anything in the next program's way
mkfifo "$work/pipe"
TCPREMOTEIP=198.51.100.1 jgreylist echo let in <"$work/pipe" >"$work/out" 2>"$work/err" &
exec 3>"$work/pipe"
wait_for_line "$work/out" '^220 jgreylist v8'
is "$(redis client list | wc -l | tr -d ' ')" 1 'while a client is refused, there is no connection'
exec 3>&-
wait $!
entry 4:192.0.2 4000 1000
TCPREMOTEIP=192.0.2.7 jgreylist ls -l /proc/self/fd </dev/null >"$work/out" 2>"$work/err"
unlike "$(cat "$work/out")" socket 'the next program has no socket of Redis'
if is_plain 'within 3 MB' && is_here softlimit 'within 3 MB'; then
	out=$(TCPREMOTEIP=192.0.2.7 softlimit -m 3000000 -o 20 jgreylist echo let in 2>&1)
	like "$out" '192\.0\.2\.7: OK known$' 'within 3 MB and 20 descriptors'
fi

# --- whom a key is for
redis flushall >/dev/null
from 192.0.2.7 JGREYLIST_BY_IP=1
from ::ffff:198.51.100.9
from 2001:db8:1:2::3
from 2001:DB8:1:2::3 JGREYLIST_BY_IP=1
is "$(redis keys '*' | sort)" 'jgreylist:4:192.0.2.7
jgreylist:4:198.51.100
jgreylist:6:20010db800010002
jgreylist:6:20010db800010002-0000000000000003' 'the keys of all kinds'
from 2001:db8:1:2:ffff::9
is_too_soon 2001:db8:1:2:ffff::9 'a /64 is one client'
from 2001:db8:1:3::3
is_first 2001:db8:1:3::3 'the next one is another'

# --- where it is, and under which name
from 203.0.113.1 "JGREYLIST_REDIS=127.0.0.1:$main_port"
is_first 203.0.113.1 'by TCP'
from 203.0.113.2 "JGREYLIST_REDIS=localhost:$main_port"
is_too_soon 203.0.113.2 'by a name'
if has_ipv6 'by IPv6'; then
	from 203.0.113.3 "JGREYLIST_REDIS=[::1]:$main_port"
	is_too_soon 203.0.113.3 'by IPv6'
fi
from 203.0.113.1 JGREYLIST_REDIS_PREFIX='mx*:'
is_first 203.0.113.1 'under another prefix it is another client'
is "$(redis exists 'mx*:4:203.0.113')" 1 'with a key of that prefix'
from 203.0.113.1 JGREYLIST_REDIS_DB=3
is_first 203.0.113.1 'in another database too'
is "$(redis -n 3 keys '*')" jgreylist:4:203.0.113 'where its key is'
from 203.0.113.1 JGREYLIST_REDIS_DB=99
is_away 203.0.113.1 'ERR DB index is out of range' 'a database that there is not'

# --- two chains, one store
for chain in one two; do
	start_tcpserver "$work/$chain" -- jgreylist echo let in
	eval "${chain}_port=$port"
done
redis flushall >/dev/null
# shellcheck disable=SC2154 # set by eval
is "$(greylist-clients 1 1 "$one_port")" \
	'127.1.1.1 220 jgreylist v8|450 GREYLIST Try again later.|221 jgreylist v8' \
	'a client comes to one host'
# shellcheck disable=SC2154 # the same
is "$(greylist-clients 1 1 "$two_port")" \
	'127.1.1.1 220 jgreylist v8|450 GREYLIST I said to try later.|221 jgreylist v8' \
	'the other host has heard of that'
entry 4:127.1.1 121 1000
is "$(greylist-clients 1 1 "$two_port")" '127.1.1.1 let in' 'it is let in there'
is_kept 4:127.1.1 $known_seconds 'which the store knows'
is "$(greylist-clients 1 1 "$one_port")" '127.1.1.1 let in' 'so it is at the first one'

# --- many at once
redis flushall >/dev/null
for client in $(seq 200); do
	TCPREMOTEIP=10.0.0.$client jgreylist echo let in </dev/null \
		>"$work/out$client" 2>&1 &
	clients="${clients:-} $!"
done
for client in $clients; do wait "$client"; done
is "$(cat "$work"/out[0-9]* | sed -n 's/^jgreylist.*: GREY/GREY/p' | sort | uniq -c |
	sed 's/^ *//')" '1 GREY first time
199 GREY too soon' '200 first contacts of one network: one is the first'
is "$(redis dbsize)" 1 'and makes the only entry'

# --- passwords
start_redis locked --requirepass open-sesame --user limited on '>pw:1' '~*' +set +pttl
REDISCLI_AUTH=open-sesame
export REDISCLI_AUTH
use
from 192.0.2.7
is_away 192.0.2.7 'NOAUTH Authentication required.' 'no password'
printf 'open-sesame\n' >"$work/password"
from 192.0.2.7 "JGREYLIST_REDIS_PASSWORD_FILE=$work/password"
is_first 192.0.2.7 'the password'
printf 'default:open-sesame' >"$work/password"
from 192.0.2.7 "JGREYLIST_REDIS_PASSWORD_FILE=$work/password" JGREYLIST_REDIS_DB=2
is_first 192.0.2.7 'a user and the password, and a database'
printf 'limited:pw:1\n' >"$work/password"
entry 4:192.0.2 200 1000
from 192.0.2.7 "JGREYLIST_REDIS_PASSWORD_FILE=$work/password"
like "$verdict" '^192\.0\.2\.7: OK known$' 'a user who may not do it all is answered'
like "$log" "unable to note the contact: NOPERM .*'expire'" 'and it is said what is missing'
is "$reply" 'let in' 'the client is let in'
printf 'closed-sesame\n' >"$work/password"
from 192.0.2.7 "JGREYLIST_REDIS_PASSWORD_FILE=$work/password"
is_away 192.0.2.7 'WRONGPASS invalid username-password pair or user is disabled.' \
	'a wrong password'
unlike "$log" sesame 'which is not shown'
from 192.0.2.7 "JGREYLIST_REDIS_PASSWORD_FILE=$work/none"
is_away 192.0.2.7 "cannot read $work/none: file does not exist" 'no such file'
: >"$work/none"
from 192.0.2.7 "JGREYLIST_REDIS_PASSWORD_FILE=$work/none"
is_away 192.0.2.7 "there is no password in $work/none" 'an empty one'
# The rights that the man page names.
redis acl setuser mx on '>pw' '~jgreylist:*' +set +pttl +expire >/dev/null
printf 'mx:pw\n' >"$work/password"
from 192.0.2.7 "JGREYLIST_REDIS_PASSWORD_FILE=$work/password"
is_known 192.0.2.7 'the rights that jgreylist needs'
is_kept 4:192.0.2 $known_seconds 'are enough to be kept'
from 192.0.2.7 "JGREYLIST_REDIS_PASSWORD_FILE=$work/password" JGREYLIST_REDIS_DB=3
like "$log" "redis: NOPERM .*'select'" 'but not for another database'
redis acl setuser mx +select >/dev/null
from 192.0.2.7 "JGREYLIST_REDIS_PASSWORD_FILE=$work/password" JGREYLIST_REDIS_DB=3
is_first 192.0.2.7 'which takes one more'
redis acl setuser mx -select +getrange +scan +del >/dev/null
out=$(JGREYLIST_REDIS_PASSWORD_FILE=$work/password jgreylist-db -e 2>&1)
like "$out" '192\.0\.2\.0/24' 'those that jgreylist-db needs are enough for a list'
out=$(JGREYLIST_REDIS_PASSWORD_FILE=$work/password jgreylist-db -d 192.0.2.7 2>&1)
is "$out $(redis exists jgreylist:4:192.0.2)" ' 0' 'and to forget'
unset REDISCLI_AUTH
start_redis deaf --rename-command AUTH ''
use
from 192.0.2.7 "JGREYLIST_REDIS_PASSWORD_FILE=$work/password"
is_away 192.0.2.7 'an error that cannot be shown' \
	'a server that repeats the password in its complaint'
unlike "$log" sesame 'has it not shown'
printf 's\303\251same-open\n' >"$work/password"
from 192.0.2.7 "JGREYLIST_REDIS_PASSWORD_FILE=$work/password"
is_away 192.0.2.7 'an error that cannot be shown' 'nor one that is not all ASCII'
if is_user 'a file that it may not read'; then
	chmod 0 "$work/password"
	from 192.0.2.7 "JGREYLIST_REDIS_PASSWORD_FILE=$work/password"
	is_away 192.0.2.7 "cannot read $work/password: access denied" \
		'a file that it may not read'
fi

# --- a server that will not
start_redis replica --replicaof 127.0.0.1 "$main_port"
is_replicating() {
	redis info replication | grep -q '^master_link_status:up'
}
wait_until is_replicating || waited_in_vain 'the replica'
use
from 192.0.2.7
is_away 192.0.2.7 "READONLY You can't write against a read only replica." 'a replica'
stop "$redis_pid"
start_redis full --maxmemory 1
use
from 192.0.2.7
is_away 192.0.2.7 "OOM command not allowed when used memory > 'maxmemory'." 'a full one'
redis config set maxmemory 0 >/dev/null
redis lpush jgreylist:4:192.0.2 1 >/dev/null
from 192.0.2.7
is_away 192.0.2.7 'WRONGTYPE Operation against a key holding the wrong kind of value' \
	'a key of the wrong type'
for junk in hello '' -1 1e9 9999999999999999999 00000000000000000000000000000000000; do
	redis set jgreylist:4:192.0.2 "$junk" >/dev/null
	from 192.0.2.7
	is_away 192.0.2.7 junk "a key that holds '$junk'"
done
is "$(redis get jgreylist:4:192.0.2)" 00000000000000000000000000000000000 \
	'and is not changed'
redis setrange jgreylist:4:192.0.2 20000000 x >/dev/null
from 192.0.2.7
is_away 192.0.2.7 'an endless answer' 'or 20 MB'
redis config set maxclients 1 >/dev/null
perl -MIO::Socket::UNIX -e '
	my $idle = IO::Socket::UNIX->new($ARGV[0]) or die;
	syswrite $idle, "PING\r\n"; sysread $idle, my $pong, 99;
	$| = 1; print "there\n"; sleep 600' "$redis_socket" >"$work/idle" &
started="$started $!"
wait_for_line "$work/idle" there
from 192.0.2.7
like "$verdict" '^192\.0\.2\.7: redis: (ERR max number of clients reached|hung up|connection reset|broken pipe)$' \
	'one with too many clients'
is "$reply" 'let in' 'the client is let in'

# It loads for half a minute, and looks at its clients after each key.
start_redis loading --rdbcompression no
for i in $(seq 300); do printf 'set key%d %01024d\n' "$i" 1; done | redis >/dev/null
redis save >/dev/null
stop "$redis_pid"
redis_is_up='Loading RDB'
start_redis loading --key-load-delay 100000 --loading-process-events-interval-bytes 1024
redis_is_up='Ready to accept connections'
use
is_loading() {
	redis ping | grep -q ^LOADING
}
wait_until is_loading || waited_in_vain 'a server that loads'
from 192.0.2.7
is_away 192.0.2.7 'LOADING Redis is loading the dataset in memory' 'one that loads'
kill -KILL "$redis_pid"
wait "$redis_pid" 2>/dev/null

# --- no server
from 192.0.2.7 "JGREYLIST_REDIS=unix:$work/none"
is_away 192.0.2.7 "cannot connect to unix:$work/none: connection refused" 'no socket but a file'
from 192.0.2.7 "JGREYLIST_REDIS=127.0.0.1:1"
is_away 192.0.2.7 'cannot connect to 127.0.0.1:1: connection refused' 'no server at the port'
from 192.0.2.7 JGREYLIST_REDIS=nonsense
is_away 192.0.2.7 'nonsense is neither unix:/path nor HOST:PORT' 'no address'
from 192.0.2.7 JGREYLIST_REDIS=127.0.0.1:1 JGREYLIST_FAIL=tempfail
is_verdict '192.0.2.7: redis: cannot connect to 127.0.0.1:1: connection refused
192.0.2.7: GREY store failed: there is no JGREYLIST_DIR' '450 GREYLIST Try again later.' \
	'who would rather refuse, does'
from 192.0.2.7 JGREYLIST_REDIS=127.0.0.1:1 "JGREYLIST_DIR=$tree"
is_verdict '192.0.2.7: redis: cannot connect to 127.0.0.1:1: connection refused
192.0.2.7: GREY first time' '450 GREYLIST Try again later.' \
	'with a folder, that decides'
is "$(cd "$tree" && find . -type f)" ./192/000/002 'and has the entry'

# --- a server that says nothing
start_redis stalled --tcp-backlog 2
use
kill -STOP "$redis_pid"
began=$(milliseconds)
from 192.0.2.7
took_about 1000 'a server that has stopped costs a second'
is_away 192.0.2.7 'no answer within 1 s' 'and no client'
began=$(milliseconds)
from 192.0.2.7 JGREYLIST_REDIS_TIMEOUT=2 "JGREYLIST_REDIS=127.0.0.1:$redis_port"
took_about 2000 'or as long as was said'
is_away 192.0.2.7 'no answer within 2 s' 'by TCP'
from 192.0.2.7 "JGREYLIST_DIR=$tree"
is_verdict '192.0.2.7: redis: no answer within 1 s
192.0.2.7: GREY too soon' '450 GREYLIST I said to try later.' 'with a folder, that decides'
# Its queues fill up.
perl -MIO::Socket::UNIX -e '
	my @waiting;
	for (1 .. 20) {
		my $one = IO::Socket::UNIX->new(Type => SOCK_STREAM);
		$one->blocking(0);
		push @waiting, $one;
		connect $one, pack_sockaddr_un($ARGV[0]) or last;
	}
	$| = 1;
	print "full\n";
	sleep 600' "$redis_socket" >"$work/queue" 2>&1 &
filler=$!
started="$started $filler"
wait_for_line "$work/queue" full
began=$(milliseconds)
from 192.0.2.7
took_about 1000 'nor does one whose queue is full cost more'
is_away 192.0.2.7 "cannot connect to unix:$redis_socket: timed out" 'or a client'
stop "$filler"
kill -CONT "$redis_pid"
from 192.0.2.8
like "$verdict" '^192\.0\.2\.8: GREY ' 'when it goes on, so does the greylist'

# An answer that comes a byte at a time, and names that nobody looks up.
perl -MIO::Socket::INET -MTime::HiRes=sleep -e '
	$SIG{PIPE} = "IGNORE";
	my $listener = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die;
	my $silent = IO::Socket::INET->new(Proto => "udp", LocalAddr => "127.0.0.1") or die;
	$| = 1;
	print $listener->sockport, " ", $silent->sockport, "\n";
	while (my $client = $listener->accept) {
		for (0 .. 99) { sleep .2; syswrite $client, "+" or last }
	}' >"$work/slow" &
started="$started $!"
wait_until test -s "$work/slow"
read -r slow_port silent_port <"$work/slow"
began=$(milliseconds)
from 192.0.2.7 "JGREYLIST_REDIS=127.0.0.1:$slow_port"
took_about 1000 'an answer without an end has one deadline'
is_away 192.0.2.7 'no answer within 1 s' 'and is none'
began=$(milliseconds)
from 192.0.2.7 "JGREYLIST_REDIS=redis.example:6379" "DNSCACHEIP=127.0.0.1:$silent_port"
took_about 1000 'so has a name'
is_away 192.0.2.7 'cannot find redis.example' 'that is not found'

# --- it stops while clients come
start_redis stopped
use
for chain in one two; do
	start_tcpserver "$work/$chain" -- jgreylist echo let in
	eval "${chain}_port=$port"
done
# A third of them is known.
for worker in 1 2 3 4; do
	for client in $(seq 3 3 150); do
		echo "set jgreylist:4:127.$worker.$client 1600000000 EX 3000000"
	done
done | redis >/dev/null
greylist-clients 4 150 "$one_port" "$two_port" >"$work/told" 2>&1 &
clients=$!
started="$started $clients"
half_is_done() {
	[ "$(wc -l <"$work/told")" -ge 300 ]
}
wait_until half_is_done || waited_in_vain 'half of the clients'
kill -KILL "$redis_pid"
wait "$redis_pid" 2>/dev/null
wait "$clients"
is "$?" 0 'Redis is killed while 600 clients come'
is "$(sed 's/^[0-9.]* //' "$work/told" | sort -u)" \
	'220 jgreylist v8|450 GREYLIST Try again later.|221 jgreylist v8
let in' 'each of them is either refused or let in'
is "$(cut -d ' ' -f 1 "$work/told" | sort -u | wc -l | tr -d ' ')" 600 'all of them are'
cat "$work/one" "$work/two" | sed -n 's/^jgreylist\[[0-9]*\]: //p' >"$work/log"
is "$(grep -Ec ': (GREY first time|OK known|OK store failed: there is no JGREYLIST_DIR)$' \
	"$work/log")" 600 'each has exactly one verdict'
cause='(hung up|connection reset|broken pipe|cannot connect to unix:.*: connection re(fused|set))'
is "$(grep -vE ": (GREY first time|OK known|OK store failed: there is no JGREYLIST_DIR|redis: $cause|unable to note the contact: $cause)\$" \
	"$work/log")" '' 'and nothing else is said'
grep ': OK store failed' "$work/log" | cut -d : -f 1 | sort >"$work/failed"
like "$(wc -l <"$work/failed" | tr -d ' ')" '^([1-9][0-9]|1[0-9][0-9]|2[0-9][0-9]|300)$' \
	'those who came later were let in'
is "$(grep -F 'let in' "$work/told" | cut -d ' ' -f 1 | sort |
	comm -13 - "$work/failed")" '' 'every one of them'

done_testing
