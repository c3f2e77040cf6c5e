#!/bin/sh
# jgreylist-db over Redis: the same lists, changes and explanations as over the
# folder tree, and the way from the one to the other and back.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/greylist.sh
. "$tests/greylist.sh"
# shellcheck source=tests/redis.sh
. "$tests/redis.sh"

TZ=UTC0
export TZ
umask 077
day=86400
start_redis one
JGREYLIST_REDIS=unix:$redis_socket
unset JGREYLIST_DIR
export JGREYLIST_REDIS

# db ARGUMENT…: output in $out, exit code in $code, messages in $log.
db() {
	code=0
	jgreylist-db "$@" >"$work/out" 2>"$work/log" </dev/null || code=$?
	out=$(cat "$work/out")
	log=$(cat "$work/log")
}
# ages_of NETWORK: its state in the list, and how many minutes ago the first and
# the last contact were. A second may pass between two looks.
ages_of() {
	now=$(date +%s)
	printf '%s\n' "$out" | while read -r state network first last; do
		[ "$network" = "$1" ] || continue
		first=$((0x${first#@40000000} / 0x100000000 - 10))
		last=$((0x${last#@40000000} / 0x100000000 - 10))
		echo "$state $(((now - first + 5) / 60)) $(((now - last + 5) / 60))"
	done
}

# --- lists
db
is "$code $out$log" '0 ' 'nothing there: nothing'
from 192.0.2.7
is_first 192.0.2.7 'a client comes'
from 2001:db8::1 JGREYLIST_BY_IP=1
is_first 2001:db8::1 'and one by its address'
redis set jgreylist:4:198.51.100 $(($(date +%s) - 180000)) ex 3000000 >/dev/null
redis set jgreylist:4:10.0.0 $(($(date +%s) - 6000)) ex $((2 * day - 6000)) >/dev/null
redis set jgreylist:4:junk 17 >/dev/null
redis set other:4:10.9.9 17 >/dev/null
db
is "$code $(printf '%s\n' "$out" | cut -d' ' -f1,2 | sort)" '0 grey 10.0.0.0/24
grey 192.0.2.0/24
grey 2001:db8::1/128
known 198.51.100.0/24' 'each kind of entry'
is "$log" 'jgreylist-db: warning: left out: keys that are no entries: 1' \
	'what is no entry is left out'
is "$(ages_of 192.0.2.0/24), $(ages_of 10.0.0.0/24)" 'grey 0 0, grey 100 100' \
	'of one that is not known the last contact is the first'
is "$(ages_of 198.51.100.0/24)" "known 3000 $(((3110400 - 3000000) / 60))" \
	'of one that is, Redis tells by when it forgets it'
redis del jgreylist:4:junk >/dev/null
db -c
is "$code $(printf '%s\n' "$out" | head -n 3)" '0 grey 2
waiting 1
known 1' '-c'
JGREYLIST_REDIS_PREFIX=other: db
is "$(printf '%s\n' "$out" | cut -d' ' -f2)" 10.9.9.0/24 'another prefix, others'
redis_db=$(JGREYLIST_REDIS_DB=3 jgreylist-db 2>&1)
is "$redis_db" '' 'another database too'

# --- changes
redis flushall >/dev/null
db -a 192.0.2.7 2001:db8:1:2:3::4
is "$code $out$log" '0 ' '-a: says nothing'
is "$(redis keys '*' | sort)" 'jgreylist:4:192.0.2
jgreylist:6:20010db800010002' 'the keys that jgreylist makes'
like "$(redis ttl jgreylist:4:192.0.2)" '^(3110400|31103[0-9][0-9])$' 'kept for 36 days'
from 192.0.2.99
is_known 192.0.2.99 'and jgreylist knows the network'
db
is "$(ages_of 192.0.2.0/24)" 'known 2 0' 'first seen the hold time ago'
db -d 192.0.2.99 10.9.9.9
is "$code $log" '1 jgreylist-db: warning: no entry: 10.9.9.0/24' '-d: forgets, and says where there was none'
from 192.0.2.7
is_first 192.0.2.7 'then the client is new'
redis flushall >/dev/null
db -s 192.0.2.0/24 $(($(date +%s) - 600)) $(($(date +%s) - 300)) 10.0.0.0/24 17 18
is "$code $out$log" '0 ' '-s: an entry with given times'
db
is "$(ages_of 192.0.2.0/24)" 'known 10 5' 'which it has'
like "$(redis ttl jgreylist:4:10.0.0)" '^(1|0|-2)$' 'one whose time is over is forgotten at once'

# --- a client: what it says is what jgreylist then does
# agrees NAME FATE IP [VARIABLE…]
agrees() {
	agrees_name=$1
	fate=$2
	ip=$3
	shift 3
	before=$(redis dbsize; redis ttl jgreylist:4:192.0.2)
	code=0
	env "$@" jgreylist-db "$ip" >"$work/out" 2>"$work/log" || code=$?
	after=$(redis dbsize; redis ttl jgreylist:4:192.0.2)
	said="$code $(tail -n 1 "$work/out")"
	from "$ip" "$@"
	is "$said" "$fate $(printf '%s\n' "$verdict" | tail -n 1)" "$agrees_name"
	case "$fate $reply" in
	"0 let in" | "1 450 "* | "2 553 "*) ;;
	"111 "*) ;;
	*) not_ok "$agrees_name: the client too" "$fate $reply" ;;
	esac
	# The time that is left of an entry may have become a second less.
	case "$before|$after" in
	"$after|$before") ;;
	*) [ "$(printf '%s' "$before" | head -n 1)" = "$(printf '%s' "$after" | head -n 1)" ] ||
		not_ok "$agrees_name: nothing is changed" "$before, then $after" ;;
	esac
}
redis flushall >/dev/null
agrees 'first' 1 192.0.2.7
agrees 'too soon' 1 192.0.2.8
agrees 'known' 0 192.0.2.8 JGREYLIST_HOLDTIME=0
agrees 'by address' 1 192.0.2.8 JGREYLIST_BY_IP=1
agrees 'version 6' 1 2001:db8::1
agrees 'a relay client' 0 192.0.9.9 RELAYCLIENT=
agrees 'denied' 2 192.0.9.9 JGREYLIST=no
db 192.0.2.7
is "$(printf '%s\n' "$out" | sed -n '5,6p')" "entry for 192.0.2.0/24
redis unix:$redis_socket" 'it says where it looked'
agrees 'over TCP' 1 192.0.2.9 "JGREYLIST_REDIS=127.0.0.1:$redis_port"

# --- there and back
redis flushall >/dev/null
now=$(date +%s)
i=1
while [ $i -le 40 ]; do
	mkdir -p "$store/010/000"
	entry=010/000/$(printf %03d $i)
	: >"$store/$entry"
	if [ $((i % 2)) -eq 0 ]; then age "$entry" $((i * 1000)) $((i * 1000))
	else age "$entry" $((i * 1000)) $((i * 500)); fi
	i=$((i + 1))
done
mkdir -p "$store/2001"
: >"$store/2001/0db800010002-0000000000000003"
: >"$store/2001/0db800010002"
env -u JGREYLIST_REDIS JGREYLIST_DIR="$store" jgreylist-db -e >"$work/commands"
is "$(wc -l <"$work/commands" | tr -d ' ')" 42 'the folder as commands'
sh "$work/commands" >"$work/said" 2>&1
is "$?$(cat "$work/said") $(redis dbsize | tr -dc 0-9)" '0 42' 'run with Redis: it has them all'
mkdir -m 700 "$work/back"
jgreylist-db -e >"$work/commands"
# Many in one command
cut -d' ' -f3- "$work/commands" | env -u JGREYLIST_REDIS JGREYLIST_DIR="$work/back" \
	xargs -n 30 jgreylist-db -s >"$work/said" 2>&1
is "$?$(cat "$work/said")" 0 'and back into a folder'
(cd "$store" && find . -type f -printf '%P %Ts\n' | sort) >"$work/wanted"
(cd "$work/back" && find . -type f -printf '%P %Ts\n' | sort) >"$work/got"
same_file "$work/got" "$work/wanted" 'with the same first contacts'
# Redis' clock of whole seconds: one may be lost each way.
late=$( { (cd "$store" && find . -type f -printf '%P %As a\n')
	(cd "$work/back" && find . -type f -printf '%P %As b\n'); } | sort |
	perl -ane '$a{$F[0]} = $F[1] if $F[2] eq "a"; $b{$F[0]} = $F[1] if $F[2] eq "b";
		END { for (sort keys %a) { print "$_ " if abs($a{$_} - $b{$_}) > 2 } }')
is "$late" '' 'and the same last ones'
(env -u JGREYLIST_REDIS JGREYLIST_DIR="$store" jgreylist-db | cut -d' ' -f1,2 | sort) >"$work/wanted"
(env -u JGREYLIST_REDIS JGREYLIST_DIR="$work/back" jgreylist-db | cut -d' ' -f1,2 | sort) >"$work/got"
same_file "$work/got" "$work/wanted" 'and the same states'

# Many: the list is asked for in parts.
redis eval 'for i = 0, 4999 do redis.call("set", "jgreylist:4:11." .. math.floor(i / 256) .. "." .. i % 256, ARGV[1], "ex", 172800) end' \
	0 "$now" >/dev/null
is "$(jgreylist-db | grep -c ' 11\.') $(jgreylist-db | sort -u | grep -c ' 11\.')" '5000 5000' 'five thousand entries'

# --- no Redis
kill "$redis_pid"
wait "$redis_pid" 2>/dev/null
for words in '' -c -e '-a 192.0.2.1' '-d 192.0.2.1' '-s 192.0.2.0/24 1 2'; do
	# shellcheck disable=SC2086 # a list of words
	db $words
	if [ $code -eq 111 ]; then like "$log" "redis: |^jgreylist-db: warning: unable to .*$redis_socket" "Redis is away:${words:+ $words}"
	else not_ok "Redis is away:${words:+ $words}" "$code $log"; fi
done
agrees 'Redis is away, and there is no folder' 111 192.0.2.1
is "$reply" 'let in' 'the client is let in, which is no answer of a store'
agrees 'with JGREYLIST_FAIL=tempfail' 111 192.0.2.1 JGREYLIST_FAIL=tempfail
agrees 'with a folder: what that says' 1 192.0.2.1 "JGREYLIST_DIR=$store"
agrees 'and again' 1 192.0.2.1 "JGREYLIST_DIR=$store"
agrees 'until it knows the client' 0 192.0.2.1 "JGREYLIST_DIR=$store" JGREYLIST_HOLDTIME=0
code=0
JGREYLIST_DIR=$store jgreylist-db >"$work/out" 2>"$work/log" || code=$?
is "$code $(cat "$work/out")" '111 ' 'a list is of Redis alone'
done_testing
