#!/bin/sh
# jgreylist-db over the folder tree: lists, counts, changes; and that what it
# says of a client is what jgreylist then does.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/greylist.sh
. "$tests/greylist.sh"

TZ=UTC0
export TZ
umask 077
day=86400
usage='jgreylist-db: usage: jgreylist-db [ -l ] [ ip | -c | -e | -a ip ... | -d ip ... | -s network first last ... ]'

# run ARGUMENT…: env's, up to `--`; then those of the program
run() {
	code=0
	settings=
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		settings="$settings $1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # settings without blanks
	env $settings jgreylist-db "$@" >"$work/out" 2>"$work/log" </dev/null || code=$?
	out=$(cat "$work/out")
	log=$(cat "$work/log")
}
db() {
	run -- "$@"
}
fresh() {
	rm -rf "$store"
	mkdir -m 700 "$store"
}
# plant ENTRY FIRST LAST: seconds ago
plant() {
	mkdir -p "$store/${1%/*}"
	: >"$store/$1"
	age "$@"
}
# at ENTRY FIRST LAST: seconds since 1970
at() {
	mkdir -p "$store/${1%/*}"
	touch -m -d "@$2" "$store/$1"
	touch -a -d "@$3" "$store/$1"
}
# label SECONDS
label() {
	printf '@40000000%08x00000000' $(($1 + 10))
}
snapshot() {
	(cd "$store" && find . -type d -printf '%P %T@ %m\n' -o \
		-printf '%P %y %T@ %A@ %m\n' | sort)
}

# --- lists
db
is "$code $out$log" '0 ' 'nothing there: nothing'
at 192/000/002 1700000000 1700000100
at 198/051/100/007 1700000000 1700000120
at 2001/0db800010002 1700000000 1700009999
at 2a00/000000000001-0000000000000003 1700000000 1700000000
db
is "$code $log $(printf '%s\n' "$out" | sort)" "0  grey 192.0.2.0/24 $(label 1700000000) $(label 1700000100)
grey 2a00:0:0:1::3/128 $(label 1700000000) $(label 1700000000)
known 198.51.100.7/32 $(label 1700000000) $(label 1700000120)
known 2001:db8:1:2::/64 $(label 1700000000) $(label 1700009999)" 'each kind of entry, and its times as TAI64N'
is "$(label 0)" '@400000000000000a00000000' 'whose 1970 is what daemontools takes it for'
db -l
is "$(printf '%s\n' "$out" | sort | head -n 1)" \
	'grey 192.0.2.0/24 2023-11-14T22:13:20+0000 2023-11-14T22:15:00+0000' '-l: local time'
run TZ=XYZ-5:30 -- -l
like "$out" '^grey 192\.0\.2\.0/24 2023-11-15T03:43:20\+0530 ' 'of the place'
run JGREYLIST_HOLDTIME=100 --
like "$out" '^known 192\.0\.2\.0/24 ' 'known is who came back after JGREYLIST_HOLDTIME'
ln -s /etc "$store/003"
echo text >"$store/192/000/003"
mkdir "$store/strange"
db
is "$code $(printf '%s\n' "$out" | wc -l | tr -d ' ') $log" \
	'0 4 jgreylist-db: warning: left out: names that are no entries: 3' 'what is no entry is left out'

# --- counts
fresh
plant 001/000/001 60 60
plant 001/000/002 80 0
plant 001/000/003 121 60
plant 001/000/004 $((2 * day + 1000)) $((2 * day + 1000))
plant 001/000/005 $((2 * day + 1000)) 0
plant 001/000/006 $((400 * day)) $((3 * day))
plant 001/000/007 $((300 * day)) $((3 * day))
plant 001/000/008 $((-3 * day)) 0
# Around midnight the young ones may be of two days.
db -c
is "$(printf '%s\n' "$out" | head -n 3)" 'grey 3
waiting 2
known 3' '-c: the hold time is not over, nobody came back, known'
like "$out" "^$(date -d "@$(($(date +%s) - 2 * day - 1000))" +%Y-%m-%d) grey 0 waiting 1 known 1\$" \
	'and by the day of the first contact'
like "$out" "^until $(date -d "@$(($(date +%s) - 99 * day))" +%Y-%m-%d) grey 0 waiting 0 known 2\$" \
	'those of long ago together'
like "$out" "^after $(date +%Y-%m-%d) grey 1 waiting 0 known 0\$" 'and those of the future'
is "$code$log" 0 'that is all'

# --- changes
fresh
umask 022
db -a 192.0.2.7 2001:DB8:1:2:3::4 ::ffff:198.51.100.1
umask 077
is "$code $out$log" '0 ' '-a: says nothing'
is "$(cd "$store" && find . -mindepth 1 -printf '%P %m\n' | sort)" '192 700
192/000 700
192/000/002 600
198 700
198/051 700
198/051/100 600
2001 700
2001/0db800010002 600' 'entries as jgreylist makes them'
read_times 192/000/002
is $((last - first)) 121 'first seen the hold time and a second ago'
like "$(($(date +%s) - last))" '^[0-5]$' 'last seen now'
from 192.0.2.99
is_known 192.0.2.99 'and jgreylist knows the network'
run JGREYLIST_HOLDTIME=600 -- -a 203.0.113.0/24
read_times 203/000/113
is $((last - first)) 601 'a network, and another hold time'
plant 192/000/003 5000000 4000000
db -a 192.0.3.1
read_times 192/000/003
is "$(((last - first + 50) / 100))" 50000 'an entry that is older keeps its first contact'
plant 192/000/004 30 30
db -a 192.0.4.1
from 192.0.4.1
is_known 192.0.4.1 'one that is not known yet is known then'
run JGREYLIST_BY_IP=1 -- -a 10.1.2.3 2001:db8::1
is "$(cd "$store" && find 010 2001/0db800000000* -type f | tr '\n' ' ')" \
	'010/001/002/003 2001/0db800000000-0000000000000001 ' 'JGREYLIST_BY_IP=1: by address'

db -d 192.0.2.200 2001:db8:1:2::/64
is "$code $out$log" '0 ' '-d: says nothing'
is "$(cd "$store" && find 192 2001 -type f | sort | tr '\n' ' ')" \
	'192/000/003 192/000/004 2001/0db800000000-0000000000000001 ' 'the entries are gone'
from 192.0.2.7
is_first 192.0.2.7 'and for jgreylist the client is new'
db -d 192.0.2.7 192.0.9.9 192.0.4.1
is "$code $log" '1 jgreylist-db: warning: no entry: 192.0.9.0/24' '-d of one that has none: 1'
is "$(cd "$store" && find 192 -type f | tr '\n' ' ')" '192/000/003 ' 'and the others are gone'

db -s 192.0.2.0/24 1700000000 1700000500 2001:db8:1:2::/64 @400000000000000b @400000000000001500000000
is "$code $out$log" '0 ' '-s: an entry with given times'
read_times 192/000/002
is "$first $last" '1700000000 1700000500' 'in seconds'
read_times 2001/0db800010002
is "$first $last" '1 11' 'or as labels'

# --- what makes no sense changes nothing
snapshot >"$work/before"
for words in '-a 192.0.2' '-a 10.9.9.9 x' '-a 192.0.2.0/25' '-a 192.0.2.1/24' '-a 2001:db8::/48' \
	'-d 192.0.3.1 256.0.0.1' '-d /24' '-a fe80::1/x' \
	'-s 10.9.9.0/24 1 x' '-s 10.9.9.0/24 1 -1' '-s 10.9.9.0/24 @4000 1' \
	'-s 10.9.9.0/24 @3fffffffffffffff 1' '-s 10.9.9.0/24 1 @4000000000000000xx' \
	'-s 10.9.9.0/24 1 253402300800' 'x' '192.0.2.0/24'; do
	# shellcheck disable=SC2086 # a list of words
	db $words
	if [ $code -eq 100 ]; then like "$log" '^jgreylist-db: fatal: no (address|time|IP address)' "no sense: $words"
	else not_ok "no sense: $words" "$code $log"; fi
done
for words in '-z' '-a' '-d' '-s' '-s 10.9.9.0/24' '-s 10.9.9.0/24 1' '-s 10.9.9.0/24 1 2 10.9.8.0/24' \
	'-c x' '-e x' '-a -d 10.9.9.9' '10.9.9.9 10.9.9.8'; do
	# shellcheck disable=SC2086 # a list of words
	db $words
	is "$code $(tail -n 1 "$work/log")" "100 $usage" "wrong use: $words"
done
db "$(printf 'a\nb\033')"
is "$code $log" '100 jgreylist-db: fatal: no IP address: a?b?' 'an odd word is shown printably'
snapshot >"$work/after"
same_file "$work/after" "$work/before" 'and nothing was changed'

# --- to another store
mkdir -m 700 "$work/other"
db -e
is "$code$log $(printf '%s\n' "$out" | sort | head -n 1)" \
	"0 jgreylist-db -s 10.1.2.3/32 $(label "$(stat -c %Y "$store/010/001/002/003")") $(label "$(stat -c %X "$store/010/001/002/003")")" \
	'-e: a command for each'
JGREYLIST_DIR=$work/other sh "$work/out" >"$work/said" 2>&1
is "$?$(cat "$work/said")" 0 'which a shell can run'
snapshot | sed 's/\.[0-9]*//g' | grep ' f ' >"$work/wanted"
(store=$work/other snapshot) | sed 's/\.[0-9]*//g' | grep ' f ' >"$work/got"
same_file "$work/got" "$work/wanted" 'and both stores have the same entries and times'

fresh
at 192/000/002 -100000 -100000
db -e
is "$out" "jgreylist-db -s 192.0.2.0/24 $(label 0) $(label 0)" \
	'a time before 1970 is as early as can be read'
is "$(sh "$work/out" 2>&1) $(stat -c '%X %Y' "$store/192/000/002")" ' 0 0' \
	'so it is read'

# --- a client: what it says is what jgreylist then does
# agrees NAME FATE IP [VARIABLE…]: the last line is what jgreylist logs, and
# nothing was changed.
agrees() {
	agrees_name=$1
	fate=$2
	ip=$3
	shift 3
	snapshot >"$work/before"
	run "$@" -- "$ip"
	snapshot >"$work/after"
	said="$code $(tail -n 1 "$work/out")"
	same=$(cmp "$work/before" "$work/after" 2>&1)
	from "$ip" "$@"
	is "$said$same" "$fate $verdict" "$agrees_name"
	case "$fate $reply" in
	"0 let in" | "1 450 "* | "2 553 "*) ;;
	*) not_ok "$agrees_name: the client too" "$fate $reply" ;;
	esac
}
fresh
agrees 'first' 1 192.0.2.7
is "$out" "$(printf '220 jgreylist v8\n450 GREYLIST Try again later.\n221 jgreylist v8')" 'and jgreylist has run'
agrees 'too soon' 1 192.0.2.8
age 192/000/002 130
agrees 'known' 0 192.0.2.8
agrees 'known, and it has come back' 0 192.0.2.8
age 192/000/002 130
agrees 'a longer hold time' 1 192.0.2.8 JGREYLIST_HOLDTIME=140
agrees 'by address' 1 192.0.9.8 JGREYLIST_BY_IP=1
agrees 'version 6' 1 2001:db8::1
agrees 'version 6, the same network' 1 2001:db8::2
agrees 'a scope' 1 fe80::1%eth0
agrees 'a time in the future' 1 192.0.2.9 JGREYLIST_HOLDTIME=3600
plant 192/000/005 -1000 -1000
agrees 'an entry of the future' 1 192.0.5.9
agrees 'no hold time' 0 192.0.5.9 JGREYLIST_HOLDTIME=0
agrees 'JGREYLIST empty' 0 192.0.2.7 JGREYLIST=
agrees 'JGREYLIST=text' 2 192.0.2.7 JGREYLIST=go
agrees 'JGREYLIST=text is for a relay client too' 2 192.0.2.7 JGREYLIST=go RELAYCLIENT=
agrees 'a relay client' 0 192.0.66.7 RELAYCLIENT=
agrees 'no reverse name' 2 192.0.66.7 JGREYLIST_NOREV=none
agrees 'an empty one' 2 192.0.66.7 JGREYLIST_NOREV=none TCPREMOTEHOST=
agrees 'a reverse name' 1 192.0.67.7 JGREYLIST_NOREV=none TCPREMOTEHOST=mx.example
agrees 'a relay client without one' 0 192.0.68.7 JGREYLIST_NOREV=none RELAYCLIENT=
agrees 'not in doubt' 0 192.0.68.7 JGREYLIST_ONLY=doubt
agrees 'doubt 0 is doubt as jgreylist has it' "$(from 192.0.68.7 JGREYLIST_ONLY=doubt JGREYLIST_DOUBT=0
	case $reply in 'let in') echo 0 ;; *) echo 1 ;; esac)" 192.0.69.7 JGREYLIST_ONLY=doubt JGREYLIST_DOUBT=0
agrees 'in doubt' 1 192.0.70.7 JGREYLIST_ONLY=doubt JGREYLIST_DOUBT=2
agrees 'another word' 1 192.0.71.7 JGREYLIST_ONLY=all
agrees 'no reverse name before doubt' 2 192.0.71.7 JGREYLIST_ONLY=doubt JGREYLIST_NOREV=x

# --- why
fresh
at 192/000/002 1700000000 1700000050
run JGREYLIST_NOREV=none TCPREMOTEHOST=mx.example JGREYLIST_ONLY=doubt JGREYLIST_DOUBT=2 RBLSMTPD=x -- -l 192.0.2.7
is "$code $out" "0 JGREYLIST is not set
RELAYCLIENT is not set
JGREYLIST_NOREV is set: none
TCPREMOTEHOST is set: mx.example
JGREYLIST_ONLY is set: doubt
JGREYLIST_DOUBT is set: 2
entry for 192.0.2.0/24
file $store/192/000/002
first contact 2023-11-14T22:13:20+0000
last contact 2023-11-14T22:14:10+0000
hold time of 120 seconds is over, and the client never came back
192.0.2.7: OK known" 'all questions'
run JGREYLIST= -- 192.0.2.7
is "$code $out" '0 JGREYLIST is set and empty
192.0.2.7: OK whitelisted' 'no more than were asked'
env JGREYLIST="$(printf 'a\033b\nc')" jgreylist-db 192.0.2.7 >"$work/out"
is "$(head -n 1 "$work/out")" 'JGREYLIST is set: a?b?c' 'values are shown printably'
plant 192/000/002 1000 0
db 192.0.2.7
like "$out" '^hold time of 120 seconds is over, and the client has come back$' 'come back'
plant 192/000/002 100 100
db 192.0.2.7
like "$out" '^hold time of 120 seconds is over in (20|1?[0-9])$' 'not over'
db 192.0.3.7
like "$out" '^no entry$' 'none'

# --- no store
unset JGREYLIST_DIR
home=$(head -n 1 "$top/conf-home")
if [ -e "$home/jgreylist" ]; then
	skip "there is a $home/jgreylist" "without JGREYLIST_DIR: the home's jgreylist"
else
	db 192.0.2.7
	is "$code $(grep JGREYLIST_DIR "$work/out") $log" \
		"111 JGREYLIST_DIR is not set, which jgreylist needs: looking at $home/jgreylist jgreylist-db: warning: $home/jgreylist does not exist" \
		"without JGREYLIST_DIR: the home's jgreylist"
fi
for words in '' -c -e '-d 192.0.2.7' '-a 192.0.2.7' '192.0.2.7'; do
	# shellcheck disable=SC2086 # a list of words
	run "JGREYLIST_DIR=$work/absent" -- $words
	if [ -n "$log" ] && [ ! -e "$work/absent" ]; then
		is "$code" 111 "no such folder:${words:+ $words}"
	else
		not_ok "no such folder:${words:+ $words}" "$code $log"
	fi
done
run "JGREYLIST_DIR=$work/absent" JGREYLIST= -- 192.0.2.7
is "$code" 0 'which does not matter when nobody asks it'
if is_user 'a folder that cannot be read: the rest, 111'; then
	chmod 0 "$store/192/000"
	at 010/000/001 1700000000 1700000000
	run "JGREYLIST_DIR=$store" --
	chmod 700 "$store/192/000"
	is "$code $(printf '%s\n' "$out" | wc -l | tr -d ' ') $log" \
		"111 1 jgreylist-db: warning: unable to read $store/192/000: access denied" \
		'a folder that cannot be read: the rest, 111'
fi
if [ -c /dev/full ]; then
	code=0
	JGREYLIST_DIR=$store jgreylist-db >/dev/full 2>"$work/log" || code=$?
	is "$code $(sed 's/output: .*/output/' "$work/log")" '111 jgreylist-db: fatal: unable to write output' \
		'what it says cannot be written: 111'
else
	skip 'no /dev/full' 'what it says cannot be written: 111'
fi
done_testing
