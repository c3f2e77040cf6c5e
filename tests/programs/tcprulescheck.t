#!/bin/sh
# tcprulescheck beside Debian's: the same answers from either side's files, and
# a damaged file is an error.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need cdb /usr/bin/tcprules /usr/bin/tcprulescheck
cd "$work" || exit 1

cat >rules <<'END'
joe@127.0.0.1:allow,A="1"
1.2.3.37-39:allow,RELAYCLIENT="",RBLSMTPD="-Blocked",X=/a"b/
10.2-3.:deny,Y="z"
127.:allow,FIRST="1"
127.:deny
9.9.9.9:deny
:allow,MAXCONNIP="5"
END
tcprules ours.cdb tmp <rules
/usr/bin/tcprules theirs.cdb tmp <rules

# What is printed, to the byte.
is "$(TCPREMOTEIP=1.2.3.38 tcprulescheck ours.cdb)" 'rule 1.2.3.38:
set environment variable RELAYCLIENT=
set environment variable RBLSMTPD=-Blocked
set environment variable X=a"b
allow connection' 'variables in their order'
is "$(TCPREMOTEIP=10.2.3.4 tcprulescheck ours.cdb && echo end)" 'rule 10.2.:
deny connection
end' 'a denial ends the text, and is no error'
is "$(TCPREMOTEIP=127.0.0.1 tcprulescheck ours.cdb)" 'rule 127.:
set environment variable FIRST=1
allow connection' 'of two equal rules the first counts'
is "$(TCPREMOTEIP=127.0.0.1 TCPREMOTEINFO=joe tcprulescheck theirs.cdb | head -n 1)" \
	'rule joe@127.0.0.1:' 'with what the client said of itself'
is "$(tcprulescheck ours.cdb)" 'rule :
set environment variable MAXCONNIP=5
allow connection' 'the rule for all'
printf '0.0.0.0:deny\n' | tcprules zero.cdb tmp
is "$(tcprulescheck zero.cdb | head -n 1)" 'rule 0.0.0.0:' \
	'the address is 0.0.0.0 when nothing is said'
tcprules none.cdb tmp </dev/null
is "$(tcprulescheck none.cdb && echo end)" 'default:
allow connection
end' 'no rule allows'

# Every rung of the ladder, with every combination of what is known.
cat >ladder <<'END'
i@1.2.3.4:allow,A="1"
i@=a.b.c:allow,A="2"
1.2.3.4:allow,A="3"
=a.b.c:allow,A="4"
1.2.3.:allow,A="5"
1.2.:allow,A="6"
1.:allow,A="7"
=.b.c:allow,A="8"
=.c:deny,A="9"
=:allow,A="10"
:allow,A="11"
@5.6.7.8:deny
END
for left in 12 10 9 8 6 4 3 2 1; do
	tail -n "$left" ladder >shorter
	tcprules "ours-$left.cdb" tmp <shorter
	/usr/bin/tcprules "theirs-$left.cdb" tmp <shorter
	same_file "ours-$left.cdb" "theirs-$left.cdb" "the last $left rungs are the same file"
done
# ask PROGRAM: what it says of each client, from each file.
ask() {
	for info in '' TCPREMOTEINFO=i TCPREMOTEINFO=; do
		for host in '' TCPREMOTEHOST=a.b.c TCPREMOTEHOST=x.c TCPREMOTEHOST= TCPREMOTEHOST=d; do
			for ip in 1.2.3.4 1.2.9.9 5.6.7.8 1.2.3. ''; do
				for left in 12 10 9 8 6 4 3 2 1; do
					echo "$info $host $ip $left: $(env ${info:+"$info"} \
						${host:+"$host"} TCPREMOTEIP="$ip" "$1" "theirs-$left.cdb" 2>&1)"
				done
			done
		done
	done
}
ask /usr/bin/tcprulescheck >wanted
is "$(grep -c '^TCPREMOTEINFO=i TCPREMOTEHOST=a.b.c 1.2.3.4 12: rule i@1.2.3.4:' wanted)" 1 \
	'the older one has been asked'
ask tcprulescheck >got
same_file got wanted 'the same answers to all'

# IPv6 text: the address, then its beginnings.
printf '%s\n' 2001:db8::1:deny 2001:db8::deny ::1:deny ::allow me@::1:deny \
	1.2.3.:deny | tcprules six.cdb tmp
while read -r ip wanted; do
	is "$(TCPREMOTEIP=$ip tcprulescheck six.cdb | head -n 1)" "$wanted" "IPv6: $ip"
done <<'END'
2001:db8::1 rule 2001:db8::1:
2001:db8::2 rule 2001:db8::
2001:db8:1::9 rule 2001:db8::
2001:db80::9 default:
::1 rule ::1:
::2 rule ::
1.2.3.4 rule 1.2.3.:
END
is "$(TCPREMOTEIP=::1 TCPREMOTEINFO=me tcprulescheck six.cdb | head -n 1)" \
	'rule me@::1:' 'IPv6: with what the client said of itself'

# Files that tcprules did not make.
perl -e 'my %rule = ("0.0.0.0", "+ABC\0Xskip\0+\0\0+B=b=c\0D2\0+A=1\0",
		"1.1.1.1", "+A=1\0D", "2.2.2.2", "\0\0X\0D\0");
	for (sort keys %rule) {
		printf "+%d,%d:%s->%s\n", length, length $rule{$_}, $_, $rule{$_};
	}
	print "\n"' | cdb -c odd.cdb
for ip in 0.0.0.0 1.1.1.1 2.2.2.2; do
	is "$(TCPREMOTEIP=$ip tcprulescheck odd.cdb)" \
		"$(TCPREMOTEIP=$ip /usr/bin/tcprulescheck odd.cdb)" "odd items: $ip"
done

# Errors.
usage='tcprulescheck: usage: tcprulescheck rules.cdb'
for arguments in '' 'a b'; do
	# shellcheck disable=SC2086
	tcprulescheck $arguments 2>errors
	is "$? $(cat errors)" "100 $usage" "usage: tcprulescheck $arguments"
done
tcprulescheck -v ours.cdb 2>errors
is "$? $(cat errors)" "100 tcprulescheck: illegal option -- v
$usage" 'there are no options'
tcprulescheck none 2>errors
is "$? $(cat errors)" '111 tcprulescheck: fatal: unable to read none: file does not exist' \
	'there is no file'
tcprulescheck . 2>errors
is "$? $(cat errors)" '111 tcprulescheck: fatal: unable to read .: protocol error' \
	'it is a folder'
tcprulescheck rules 2>errors
is "$? $(cat errors)" '111 tcprulescheck: fatal: unable to read rules: protocol error' \
	'it is no cdb'
tcprulescheck ours.cdb >/dev/full 2>errors
is "$? $(cat errors)" '111 tcprulescheck: fatal: unable to write output: out of disk space' \
	'nobody can read the answer'

# A file that was cut off anywhere is not taken for a smaller one.
size=$(wc -c <ours.cdb)
said=
length=0
while [ "$length" -lt "$size" ]; do
	head -c "$length" ours.cdb >cut.cdb
	tcprulescheck cut.cdb >answer 2>errors
	said="$said
$? $(cat answer errors)"
	length=$((length + 13))
done
is "$(printf '%s\n' "$said" | sed 1d | sort -u)" \
	'111 tcprulescheck: fatal: unable to read cut.cdb: protocol error' \
	'a file that was cut off'
# Any damage ends in an answer or in an error.
perl -e 'srand(7); local $/; open my $in, "<", "ours.cdb"; my $good = <$in>;
	for (1 .. 150) {
		my $bad = $good;
		substr($bad, rand(length $bad), 1) = chr rand 256 for 1 .. 1 + rand 40;
		open my $out, ">", "bad.cdb"; print $out $bad; close $out;
		$ENV{TCPREMOTEIP} = (qw(1.2.3.38 9.9.9.9 127.0.0.1 8.8.8.8))[rand 4];
		system "tcprulescheck bad.cdb >answer 2>errors";
		print "$?\n";
	}' | sort -u >codes
is "$(grep -Evx '0|28416' codes)" '' 'a damaged file'
done_testing
