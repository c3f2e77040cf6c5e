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
tcprules ours.cdb tmp <rules 2>/dev/null
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

# An address in any spelling is the one that tcpserver would look up.
while read -r ip wanted; do
	is "$(TCPREMOTEIP=$ip tcprulescheck six.cdb | head -n 1)" "$wanted" "any spelling: $ip"
done <<'END'
2001:0DB8:0:0::0001 rule 2001:db8::1:
::ffff:1.2.3.4 rule 1.2.3.:
0:0:0:0:0:0:0:1 rule ::1:
END

# Networks, among them those that older readers know; smallest first.
cat >networks <<'END'
10.0.0.0/8:deny
10.16.0.0/12:allow,A="12"
10.17.0.0/16:allow,A="16"
10.17.4.0/22:deny
10.17.4.0/24:allow,A="24"
10.17.4.8/29:deny
10.17.4.9/32:allow,A="32"
=.mx.example:allow,A="host"
2001:db8::/32:deny
2001:db8:0:8000::/49:allow,A="49"
2001:db8:0:8001::/64:deny
2001:db8:0:8001:1:2:3:4:allow,A="128"
2001:db8:1:allow
2001:db8:2::allow,A="text"
[2001:db8:3::]:allow,A="only that"
0.0.0.0/0:allow,A="4"
::/0:allow,A="6"
END
tcprules networks.cdb tmp <networks 2>/dev/null
while read -r ip wanted; do
	is "$(TCPREMOTEIP=$ip TCPREMOTEHOST=a.mx.example tcprulescheck networks.cdb | head -n 1)" \
		"rule $wanted:" "the network of $ip"
done <<'END'
10.17.4.9 10.17.4.9
10.17.4.10 10.17.4.8/29
10.17.4.16 10.17.4.
10.17.5.1 10.17.4.0/22
10.17.8.1 10.17.
10.31.0.1 10.16.0.0/12
10.32.0.1 10.
11.0.0.1 0.0.0.0/0
2001:db8:0:8001:1:2:3:4 2001:db8:0:8001:1:2:3:4
2001:db8:0:8001:1:2:3:5 2001:db8:0:8001::/64
2001:db8:0:ffff::1 2001:db8:0:8000::/49
2001:db8::1 2001:db8::/32
2001:db8:2::1 2001:db8:2:
2001:db8:3:: 2001:db8:3::/128
2001:db8:3::1 2001:db8::/32
2001:db9::1 ::/0
::1 ::/0
END
# The older reader, of the same file: all but what it has no words for.
while read -r ip wanted; do
	is "$(TCPREMOTEIP=$ip TCPREMOTEHOST=a.mx.example /usr/bin/tcprulescheck networks.cdb | head -n 1)" \
		"rule $wanted:" "the older one finds the network of $ip"
done <<'END'
10.17.4.9 10.17.4.9
10.17.4.16 10.17.4.
10.17.8.1 10.17.
10.32.0.1 10.
11.0.0.1 =.mx.example
END

# All addresses that matter, beside a reader of text: the longest network counts.
cat >reference <<'END'
use strict; use warnings; use Socket qw(inet_pton AF_INET AF_INET6);
sub bits { my $family = $_[0] =~ /:/ ? AF_INET6 : AF_INET; return unpack "B*", inet_pton($family, $_[0]) }
srand(3);
my (@rules, %seen);
while (@rules < 400) {
	my $length = rand() < 0.5 ? int rand 33 : int rand 129;
	my $bits = join "", "0" x 6, map { int rand 2 } 1 .. 26;
	my $text = join ".", unpack "C4", pack "B*", $bits;
	if ($length > 32 || rand() < 0.3) {
		$text = sprintf "2001:db8:%x:%x:%x::%x", map { int rand 4 } 1 .. 4;
		$text = "2001:db8::" if $length <= 32;
	}
	my $first = substr bits($text), 0, $length;
	next if $seen{length(bits($text)) . $first}++;
	push @rules, [$text, $length, $first, length bits($text)];
}
open my $file, ">", "random.rules";
print $file "$_->[0]/$_->[1]:allow,N=\"$_->[0]/$_->[1]\"\n" for @rules;
close $file;
system("tcprules random.cdb tmp <random.rules 2>/dev/null") == 0 or die;
my $wrong = 0;
for my $n (1 .. 300) {
	my $near = $rules[rand @rules];
	my $bits = $near->[2] . join "", map { int rand 2 } 1 .. $near->[3] - $near->[1];
	my $ip = $near->[3] == 32 ? join(".", unpack "C4", pack "B*", $bits)
		: join ":", map { sprintf "%x", $_ } unpack "n8", pack "B*", $bits;
	my ($best) = sort { $b->[1] <=> $a->[1] }
		grep { $_->[3] == $near->[3] && substr($bits, 0, $_->[1]) eq $_->[2] } @rules;
	$ENV{TCPREMOTEIP} = $ip;
	my ($said) = `tcprulescheck random.cdb` =~ /N=(.*)/;
	next if defined $said && $said eq "$best->[0]/$best->[1]";
	print "$ip: ", $said // "none", " and not $best->[0]/$best->[1]\n";
}
END
is "$(perl reference 2>&1)" '' '300 clients of 400 networks of any length'

# Why.
cat >why <<'END'
# a comment
192.0.2.1-9:allow,MAXCONNIP="3",MAXRATEC="30",DIEMSG_MAXRATEC="421 slow"
192.0.2.0/23:deny,DIEMSG="421 no"
127.:allow,PROXY="1"
me@192.0.2.3:allow
2001:db8::/32:allow,MAXLOAD="0",MAXCONNC="x"
END
tcprules why.cdb tmp <why 2>/dev/null
is "$(TCPREMOTEIP=192.0.2.3 TCPREMOTEHOST=mx.example TCPREMOTEINFO=you MAXCONNIP=2 MAXCONNC=5 \
	MAXLOAD=150 DIEMSG_MAXCONNC='421 many' tcprulescheck -v why.cdb why)" 'client 192.0.2.3
host mx.example
info you
tried you@192.0.2.3
tried you@=mx.example
found 192.0.2.3
compiled: 192.0.2.3:allow,MAXCONNIP="3",MAXRATEC="30",DIEMSG_MAXRATEC="421 slow"
line 2: 192.0.2.1-9:allow,MAXCONNIP="3",MAXRATEC="30",DIEMSG_MAXRATEC="421 slow"
limit MAXLOAD 150 from the environment, in hundredths of the load average
  is told nothing
limit MAXCONNIP 3 from the rule, counted for 192.0.2.3/32
  is told nothing
limit MAXCONNC 5 from the environment, counted for 192.0.2.0/24
  is told by DIEMSG_MAXCONNC from the environment: 421 many
limit MAXRATEC 30 from the rule, counted for 192.0.2.0/24
  is told by DIEMSG_MAXRATEC from the rule: 421 slow
rule 192.0.2.3:
set environment variable MAXCONNIP=3
set environment variable MAXRATEC=30
set environment variable DIEMSG_MAXRATEC=421 slow
allow connection' '-v says which keys, which line and which limits'
is "$(TCPREMOTEIP=192.0.3.3 MAXCONNIP=2 tcprulescheck -v why.cdb why)" 'client 192.0.3.3
tried 192.0.3.3
tried 192.0.3.
found 192.0.2.0/23
compiled: 192.0.2.0/23:deny,DIEMSG="421 no"
line 3: 192.0.2.0/23:deny,DIEMSG="421 no"
denied
  is told by DIEMSG from the rule: 421 no
rule 192.0.2.0/23:
deny connection' '-v of a denial'
is "$(TCPREMOTEIP=127.0.0.1 tcprulescheck -v why.cdb | tail -n 5)" 'compiled: 127.:allow,PROXY="1"
PROXY header is read first, by rule: 127.
rule 127.:
set environment variable PROXY=1
allow connection' '-v of one who may send a PROXY header'
is "$(TCPREMOTEIP=2001:DB8:1:2:3::4 MAXCONNIP=7 MAXRATEC=9 LIMIT_PREFIX_C6=40 tcprulescheck -v why.cdb |
	grep -a limit)" 'limit MAXCONNIP 7 from the environment, counted for 2001:db8:1:2::/64
limit MAXCONNC from the rule is no number, so there is none
limit MAXRATEC 9 from the environment, counted for 2001:db8::/40' \
	'-v of an IPv6 client, the lengths from the environment'
is "$(TCPREMOTEIP=9.9.9.9 MAXLOAD=5 DIEMSG='421 x' tcprulescheck -v why.cdb why)" 'client 9.9.9.9
tried 9.9.9.9
tried 9.9.9.
tried 9.9.8.0/23
tried 9.9.
tried 9.
tried 
limit MAXLOAD 5 from the environment, in hundredths of the load average
  is told by DIEMSG from the environment: 421 x
default:
allow connection' '-v without any rule'
sed '2s/3/4/; 3d' why >newer
is "$(TCPREMOTEIP=192.0.2.3 tcprulescheck -v why.cdb newer | grep -a '^line' | tail -n 1)" \
	'line 2 is newer than the compiled rule' '-v of a rule that is older than its line'
is "$(TCPREMOTEIP=192.0.3.3 tcprulescheck -v why.cdb newer | grep -a '^no line')" \
	'no line has this address: the rules have changed since they were compiled' \
	'-v of a rule without its line'
is "$(printf '::1:deny,A="\033[2J"\n' | tcprules odd.cdb tmp && TCPREMOTEIP=::1 TCPREMOTEHOST="$(printf 'a\033b')" \
	tcprulescheck -v odd.cdb | sed '/^rule/,$d')" 'client ::1
host a?b
found ::1
compiled: ::1:deny,A="?[2J"
denied
  is told nothing' '-v shows what can be shown'
TCPREMOTEIP=1.2.3.4 LIMIT_PREFIX_IP4=33 MAXCONNIP=1 tcprulescheck -v why.cdb 2>&1 >/dev/null |
	grep -q 'LIMIT_PREFIX_IP4 is no number from 0 to 32'
is "$?" 0 '-v warns of a prefix length that tcpserver would not take'
tcprulescheck -v why.cdb none 2>errors >answer
is "$? $(cat errors)" '0 ' 'the lines are not read when there is no rule'
TCPREMOTEIP=127.0.0.1 tcprulescheck -v why.cdb none 2>errors >answer
is "$? $(cat errors)" '111 tcprulescheck: fatal: unable to read none: file does not exist' \
	'there are no lines'

# Back to lines.
is "$(tcprulescheck -d why.cdb | tail -n 4)" '192.0.2.0/23:deny,DIEMSG="421 no"
127.:allow,PROXY="1"
me@192.0.2.3:allow
2001:db8::/32:allow,MAXLOAD="0",MAXCONNC="x"' '-d prints the rules'
for file in why networks random ours ladder six; do
	[ -e "$file.cdb" ] || tcprules "$file.cdb" tmp <"$file" 2>/dev/null
	tcprulescheck -d "$file.cdb" | tcprules again.cdb tmp 2>/dev/null
	same_file again.cdb "$file.cdb" "-d, compiled again, is the same file: $file"
done
printf '%s\n' '1:allow,A=/"/,B="/",C=|"/'"'"'|' '2:deny,D=,=,' '[2001:db8::]:deny' \
	'x@y:allow' ':allow' | tcprules quotes.cdb tmp 2>/dev/null
tcprulescheck -d quotes.cdb | tcprules again.cdb tmp 2>/dev/null
same_file again.cdb quotes.cdb 'with quotes in it'
perl -e 'my @rule = ("10.0.0.0/8", "", "10.", "D\0", "#x", "", "a\nb", "", "x", "+A\0", "y",
		"+A=1\0D\0", "=z", "+A=b\nc\0", "1.2.3.4-5", "D\0");
	while (my ($key, $data) = splice @rule, 0, 2) {
		printf "+%d,%d:%s->%s\n", length $key, length $data, $key, $data;
	}
	print "\n"' | cdb -c foreign.cdb
is "$(tcprulescheck -d foreign.cdb)" '# not from a line: 10.0.0.0/8:allow
10.:deny
# not from a line: #x:allow
# not from a line: a?b:allow
# not from a line: x:allow
# not from a line: y:deny,A="1"
# not from a line: =z:allow,A="b?c"
# not from a line: 1.2.3.4-5:deny' 'what no line would become is a comment'
tcprulescheck -d rules 2>errors
is "$? $(cat errors)" '111 tcprulescheck: fatal: unable to read rules: protocol error' \
	'-d of what is no cdb'

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
usage='tcprulescheck: usage: tcprulescheck [ -dv ] rules.cdb [ rules ]'
for arguments in '' 'a b' '-v' '-d' '-v a b c' '-d a b' '-dv a'; do
	# shellcheck disable=SC2086
	tcprulescheck $arguments 2>errors
	is "$? $(cat errors)" "100 $usage" "usage: tcprulescheck $arguments"
done
tcprulescheck -z ours.cdb 2>errors
is "$? $(cat errors)" "100 tcprulescheck: illegal option -- z
$usage" 'an option that there is not'
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
