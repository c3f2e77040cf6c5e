#!/bin/sh
# jgreylist: who is known, who is not yet, and what an entry looks like.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/greylist.sh
. "$tests/greylist.sh"

# --- first, too soon, known
from 192.0.2.7
is_first 192.0.2.7 'a first contact'
is "$(the_store)" '192 0700 d
192/000 0700 d
192/000/002 0600 f' 'leaves an empty file in two folders'
is "$(find "$store" -type f -size +0)" '' 'with nothing in it'
read_times 192/000/002
is_recent "$first" 'the time of the first contact'
is "$last" "$first" 'is that of the last one'
from 192.0.2.7
is_too_soon 192.0.2.7 'a second contact at once'
is "$out" '220 jgreylist v8
450 GREYLIST I said to try later.
221 jgreylist v8' 'is told so in a whole conversation'
age 192/000/002 90
from 192.0.2.7
is_too_soon 192.0.2.7 'one within the hold time'
read_times 192/000/002
is_recent "$last" 'is noted'
is "$(($(date +%s) - first < 150 && $(date +%s) - first >= 90))" 1 \
	'and changes nothing about the first one'
age 192/000/002 120
from 192.0.2.7
is_known 192.0.2.7 'one after the hold time'
read_times 192/000/002
is_recent "$last" 'is noted'
age 192/000/002 3000000 1000000
from 192.0.2.7
is_known 192.0.2.7 'one long after'
read_times 192/000/002
is_recent "$last" 'is noted'
is "$(($(date +%s) - first >= 3000000))" 1 'and changes nothing about the first one'
like "$log" '^jgreylist\[[0-9]+\]: 192\.0\.2\.7: OK known$' 'the log line in full'
pid=$(TCPREMOTEIP=192.0.2.7 sh -c 'echo $$; exec jgreylist sh -c "echo \$\$"' \
	2>"$work/err" | sort -u)
is "$(cat "$work/err")" "jgreylist[$pid]: 192.0.2.7: OK known" \
	'the next program has the pid of the log'

# --- when a contact is worth a note
age 192/000/002 3000 10
read_times 192/000/002
before="$first $last"
from 192.0.2.7
read_times 192/000/002
is "$verdict $first $last" "192.0.2.7: OK known $before" \
	'a known client that came ten seconds ago: nothing is written'
age 192/000/002 130 20
from 192.0.2.7
read_times 192/000/002
is "$verdict $((last - first >= 120))" '192.0.2.7: OK known 1' \
	'but the first time that it passes is, for jgreylist-clean'
age 192/000/002 3000 -3000
from 192.0.2.7
read_times 192/000/002
is_recent "$last" 'a last contact in the future is put right'
age 192/000/002 -3000
from 192.0.2.7
is_too_soon 192.0.2.7 'a first contact in the future is too soon'
read_times 192/000/002
is_recent "$first" 'but not until then: it is one of now'
age 192/000/002 -3000 0
from 192.0.2.7
read_times 192/000/002
is_recent "$first" 'also when the last one is as it should be'
age 192/000/002 -30
read_times 192/000/002
before="$first $last"
from 192.0.2.7
read_times 192/000/002
is "$verdict $first $last" "192.0.2.7: GREY too soon $before" \
	'seconds ahead are another host'"'"'s clock, and stay'

# --- networks and addresses
empty_the_store
from 198.51.100.7
age 198/051/100 200
from 198.51.100.250
is_known 198.51.100.250 'another address of the network is known'
from 198.51.101.7
is_first 198.51.101.7 'the next network is not'
from 19.8.51.100
is_first 19.8.51.100 'nor is one with the same digits'
empty_the_store
from 198.51.100.7 JGREYLIST_BY_IP=1
is_first 198.51.100.7 'BY_IP: a first contact'
is "$(the_store)" '198 0700 d
198/051 0700 d
198/051/100 0700 d
198/051/100/007 0600 f' 'has an entry of its own'
age 198/051/100/007 200
from 198.51.100.7 JGREYLIST_BY_IP=-1
is_known 198.51.100.7 'BY_IP: known'
from 198.51.100.250 JGREYLIST_BY_IP=1
is_first 198.51.100.250 'BY_IP: another address is another client'
for value in 0 '' abc; do
	empty_the_store
	from 198.51.100.7 "JGREYLIST_BY_IP=$value"
	is "$(the_store | tail -n 1)" '198/051/100 0600 f' \
		"BY_IP='$value': by network"
done

# --- the hold time
empty_the_store
from 192.0.2.7 JGREYLIST_HOLDTIME=0
is_first 192.0.2.7 'HOLDTIME=0: a first contact'
from 192.0.2.7 JGREYLIST_HOLDTIME=0
is_known 192.0.2.7 'is known the next time'
from 192.0.2.7 JGREYLIST_HOLDTIME=abc
is_known 192.0.2.7 'HOLDTIME=abc is 0'
from 192.0.2.7 JGREYLIST_HOLDTIME=-1
is_known 192.0.2.7 'and so is less'
from 192.0.2.7 JGREYLIST_HOLDTIME=
is_too_soon 192.0.2.7 'HOLDTIME= is 120'
age 192/000/002 125
from 192.0.2.7 JGREYLIST_HOLDTIME=
is_known 192.0.2.7 'and no more'
from 192.0.2.7 JGREYLIST_HOLDTIME=3600
is_too_soon 192.0.2.7 'an hour'
from 192.0.2.7 JGREYLIST_HOLDTIME=99999999999999999999
is_too_soon 192.0.2.7 'for ever'
age 192/000/002 45
from 192.0.2.7 JGREYLIST_HOLDTIME=40x
is_known 192.0.2.7 'HOLDTIME=40x is 40'

# --- IPv6, and addresses that are none
empty_the_store
from 2001:db8:1:2::3
is_first 2001:db8:1:2::3 'IPv6: a first contact'
is "$(the_store)" '2001 0700 d
2001/0db800010002 0600 f' 'has one entry, in one folder'
age 2001/0db800010002 200
from 2001:DB8:1:2:FFFF::1
is_known 2001:DB8:1:2:FFFF::1 'upper case, another address of its /64: known'
from 2001:db8:1:3::3
is_first 2001:db8:1:3::3 'the next /64: not'
from 2001:db8:1:2::3 JGREYLIST_BY_IP=1
is_first 2001:db8:1:2::3 'BY_IP: an entry for the address'
is "$(the_store | sed -n 3p)" '2001/0db800010002-0000000000000003 0600 f' \
	'beside that of the network'
from fe80::1%eth0
is_first fe80::1%eth0 'a scope does not count'
age fe80/000000000000 200
from fe80::2%eth1
is_known fe80::2%eth1 'for the network'
from 192.0.2.7
age 192/000/002 200
from ::ffff:192.0.2.9
is_known ::ffff:192.0.2.9 'IPv4 in the clothes of IPv6'
before=$(the_store)
for ip in 192.0.2 192.0.2.256 192.0.2.7.1 2001:db8::g unknown ../../x 01.2.3.4 \
	192.0.2.7/24 192.0.2.7%eth0 "192.0.2.7
" "$(printf '%0500d' 1)"; do
	from "$ip"
	is "$code|$out" '100|' "'$(printf %.20s "$ip")' is no address: 100"
	is "$(printf '%s\n' "$log" | wc -l)" 1 'with one line'
done
like "$log" '^jgreylist\[[0-9]+\]: fatal: TCPREMOTEIP is no IP address: 0{60}\.\.\.$|^jgreylist.*: 0{50,}' \
	'that is not too long'
is "$(the_store)" "$before" 'none leaves anything in the store'
from "$(printf '192.0.2.7\033[2J')"
is "$verdict" 'fatal: TCPREMOTEIP is no IP address: 192.0.2.7?[2J' \
	'its bytes are made printable'

# --- a tree that the original has made, and one for it
empty_the_store
mkdir -m 700 "$store/001" "$store/001/002" "$store/099" "$store/099/255"
: >"$store/001/002/003"
: >"$store/099/255/000"
chmod 600 "$store/001/002/003" "$store/099/255/000"
age 001/002/003 86400
age 099/255/000 10
before=$(the_store)
from 1.2.3.4
is_known 1.2.3.4 'a known network of a tree made elsewhere'
from 99.255.0.1
is_too_soon 99.255.0.1 'and one that is not yet'
is "$(the_store)" "$before" 'the tree is what it was'
empty_the_store
from 1.2.3.4
from 99.255.0.1
is "$(the_store)" "$before" 'ours looks the same'
done_testing
