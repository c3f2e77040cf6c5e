# DNS lists for tests, after lib.sh: a real rbldnsd with lists of every kind, and
# dns-faults, whose lists fail in every way. Both are on free ports of 127.0.0.1,
# and nothing here needs root.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # for the test; from lib.sh

# rbldnsd may be unpacked beside the tests (scripts/with-deps).
rbldnsd_folder=${RBLDNSD:-$top/build/deps/peers/rbldnsd}
PATH=$PATH:$rbldnsd_folder/usr/sbin
. "$tests/dns.sh"
need rbldnsd
/usr/bin/python3 -c 'import dnslib' 2>/dev/null || need python3-dnslib

# list NAME TYPE: a zone; its lines are standard input. The same name again
# adds to it.
list() {
	lists="$lists $1:$2:$1.$2"
	cat >"$work/lists/$1.$2"
}

# told_all NAME WHAT: whoever asks from here is told that of everybody. rbldnsd
# wants some list behind such a rule.
told_all() {
	list "$1" acl <<-END
		127.0.0.1 $2
	END
	list "$1" ip4set <<-END
		127.0.0.2
	END
}

# 127.0.0.2 is on every list, 127.0.0.1 on none (RFC 5782 section 5).
# shellcheck disable=SC2016 # rbldnsd puts the address there
write_lists() {
	lists=
	list bl.test ip4set <<-'END'
		:127.0.0.2:Listed, see http://bl.test/?$
		127.0.0.2
		192.0.2.1
		192.0.2.4 :4:Exploited host $
		192.0.2.10 :127.0.0.10:
		192.0.2.254 :127.255.255.254:Error: open resolver; https://bl.test/
		198.51.100.0/24
		!198.51.100.7
		203.0.113.10-20 :9:Do not route $
	END
	list bl.test ip6trie <<-'END'
		:127.0.0.2:Listed, see http://bl.test/?$
		::ffff:7f00:2/128
		2001:db8:1::/48
		!2001:db8:1::7/128
		2001:db8:2::25/128 :127.0.0.4:Exploited host $
	END
	list second.test ip4set <<-'END'
		:127.0.0.3:Second $
		127.0.0.2
		192.0.2.1
		192.0.2.3
	END
	# Addresses alone.
	list a.test ip4set <<-'END'
		127.0.0.2 :127.0.0.2:
		192.0.2.1 :127.0.0.2:
		192.0.2.3 :127.0.0.4:
	END
	list wl.test ip4tset <<-'END'
		:127.0.0.3:Allowed $
		127.0.0.2
		192.0.2.200
	END
	list wl.test ip6trie <<-'END'
		:127.0.0.3:Allowed $
		::ffff:7f00:2/128
		2001:db8:1::200/128
	END
	# As list.dnswl.org: 127.0.CATEGORY.TRUST, and 255 to who asks too often.
	list dnswl.test ip4set <<-'END'
		127.0.0.2 :127.0.5.2:
		192.0.2.1 :127.0.5.0:none
		192.0.2.3 :127.0.10.3:high
		192.0.2.4 :127.0.0.255:limit
	END
	list several.test generic <<-'END'
		2.0.0.127 A 127.0.0.2
		1.2.0.192 A 127.0.0.2
		1.2.0.192 A 127.0.0.11
		1.2.0.192 A 203.0.113.80
		1.2.0.192 TXT "one of them"
		3.2.0.192 A 127.255.255.254
		5.2.0.192 TXT "a text alone"
	END
	told_all blocked.test ':127.255.255.254:Error: open resolver'
	told_all refuse.test :refuse
	told_all empty.test :empty
}

# start_rbldnsd: on the port $lists_port. As root it would not read what only
# root can: it becomes somebody else.
start_rbldnsd() {
	mkdir "$work/lists"
	write_lists
	rbldnsd_user=
	if [ "$(id -u)" -eq 0 ]; then
		rbldnsd_user='-u nobody'
		chmod 711 "$work"
	fi
	for try in 1 2 3 4 5; do
		lists_port=$(free_port)
		# shellcheck disable=SC2086 # words
		LD_LIBRARY_PATH=$rbldnsd_folder/usr/lib/rbldnsd rbldnsd -n \
			$rbldnsd_user -b "127.0.0.1/$lists_port" -c 0 \
			-w "$work/lists" $lists >"$work/lists.log" 2>&1 &
		rbldnsd=$!
		wait_until rbldnsd_is_known "$rbldnsd"
		grep -q ' started (' "$work/lists.log" || continue
		started="$started $rbldnsd"
		return
	done
	echo "Bail out! rbldnsd did not start, $try times: $(cat "$work/lists.log")"
	exit 1
}
rbldnsd_is_known() {
	grep -q ' started (' "$work/lists.log" || ! kill -0 "$1"
}

# start_dns_faults: on the port $faults_port. The questions that came are lines
# of $work/questions; `forget_questions` empties it.
start_dns_faults() {
	: >"$work/questions"
	start_server "$work/faults.log" dns-faults "$work/questions"
	faults_port=$port
}
forget_questions() {
	: >"$work/questions"
}
