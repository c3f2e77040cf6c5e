# A DNS server for tests, after lib.sh: nsd, with zones for loopback addresses.
# What a name is there for, is said beside it. Nothing here needs root.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# shellcheck disable=SC2154 # from lib.sh

# nsd may be unpacked beside the tests (scripts/with-deps) and bring libraries.
nsd_folder=${NSD:-$top/build/deps/peers/nsd}
PATH=$PATH:$nsd_folder/usr/sbin
need nsd perl

# zone NAME: its records, behind the SOA, are standard input
zone() {
	{
		# shellcheck disable=SC2016 # of the zone
		echo '$TTL 60'
		echo "$1. SOA ns.mail.test. postmaster.mail.test. 1 60 60 60 60"
		echo "$1. NS ns.mail.test."
		cat
	} >"$work/dns/$1.zone"
	printf 'zone:\n name: "%s"\n zonefile: "%s.zone"\n' "$1" "$1" \
		>>"$work/dns/zones"
}

write_zones() {
	zone mail.test <<-'END'
		ns      A    127.0.0.1
		server  A    127.0.0.1
		one     A    127.0.0.10
		two     A    192.0.2.1
		two     A    127.0.0.11
		other   A    192.0.2.1
		liar    A    192.0.2.1
		six     AAAA ::1
		upper   A    127.0.0.16
		alias   A    127.0.0.17
		chain   CNAME one
		loop    CNAME loop
		many    A    127.0.0.1
		many    A    127.0.0.2
		many    A    127.0.0.3
		both    A    127.0.0.1
		both    AAAA ::1
	END
	zone 127.in-addr.arpa <<-'END'
		1.0.0   PTR  server.mail.test.
		10.0.0  PTR  one.mail.test.
		; the second is right
		11.0.0  PTR  other.mail.test.
		11.0.0  PTR  two.mail.test.
		12.0.0  PTR  liar.mail.test.
		; there is no such name, no such zone
		13.0.0  PTR  nowhere.mail.test.
		20.0.0  PTR  broken.test.
		; nobody has 127.0.0.14
		15.0.0  PTR  ev\010il\032%s=x.mail.test.
		16.0.0  PTR  UPPER.Mail.TEST.
		17.0.0  CNAME 17.part.0.0
		17.part.0.0 PTR alias.mail.test.
		18.0.0  PTR  127.0.0.1.
		19.0.0  CNAME 19.0.0
	END
	zone ip6.arpa <<-'END'
		1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR six.mail.test.
	END
	# No file: SERVFAIL for every question, and so for 127.9.0.0/16.
	for name in broken.test 9.127.in-addr.arpa; do
		printf 'zone:\n name: "%s"\n zonefile: "no-such-file"\n' $name \
			>>"$work/dns/zones"
	done
}

# start_dns [COMMAND]: nsd on 127.0.0.1 and a free port, which goes into
# $dns_port; the COMMAND may write zones of its own.
start_dns() {
	mkdir "$work/dns"
	write_zones
	${1:-:}
	for try in 1 2 3 4 5; do
		dns_port=$(free_port)
		cat - "$work/dns/zones" >"$work/dns/nsd.conf" <<-END
			server:
			 ip-address: 127.0.0.1@$dns_port
			 username: ""
			 chroot: ""
			 zonesdir: "$work/dns"
			 database: ""
			 pidfile: "$work/dns/pid"
			 xfrdfile: "$work/dns/xfrd.state"
			 xfrdir: "$work/dns"
			 zonelistfile: "$work/dns/zone.list"
			 cookie-secret-file: "$work/dns/cookies"
			 server-count: 1
			 rrl-ratelimit: 0
			remote-control:
			 control-enable: no
		END
		LD_LIBRARY_PATH=$nsd_folder/usr/lib/nsd nsd -d -c "$work/dns/nsd.conf" \
			>"$work/dns/log" 2>&1 &
		dns_server=$!
		wait_until dns_is_known "$dns_server"
		grep -q 'nsd started' "$work/dns/log" || continue
		started="$started $dns_server"
		return
	done
	echo "Bail out! nsd did not start, $try times: $(cat "$work/dns/log")"
	exit 1
}
dns_is_known() {
	grep -q 'nsd started' "$work/dns/log" || ! kill -0 "$1"
}

# start_silent_dns: one that takes every question and answers none
start_silent_dns() {
	perl -MIO::Socket::INET -e '
		my $udp = IO::Socket::INET->new(Proto => "udp",
			LocalAddr => "127.0.0.1") or die "silent: $!\n";
		$| = 1;
		print $udp->sockport, "\n";
		sleep 600' >"$work/silent" &
	started="$started $!"
	wait_until test -s "$work/silent"
	# shellcheck disable=SC2034 # for the test
	silent_port=$(cat "$work/silent")
}
