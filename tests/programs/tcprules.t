#!/bin/sh
# tcprules beside Debian's: the same rules, the same file, the same refusals.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
reference=/usr/bin/tcprules
need cdb "$reference"
cd "$work" || exit 1

# compile RULES: ours into ours.cdb; its messages in errors, its exit code in
# $code.
compile() {
	tcprules ours.cdb ours.tmp <"$1" 2>errors
	code=$?
}
# dump FILE: its records in text, NUL as ^@
dump() {
	cdb -d "$1" | cat -A
}

# The example of tcprules' manual and more: the bytes of the file.
cat >rules <<'END'
joe@127.0.0.1:allow,A="1"
xyz@=one.two.three:deny
18.23.0.32:deny
1.2.3.37-39:allow,RELAYCLIENT="",RBLSMTPD="-Blocked",X=/a"b/
10.2-3.:deny,Y="z"
=known.edu:allow
=.abuser.edu:deny
=:allow,Q="w"
127.:allow,RELAYCLIENT=""
:allow,MAXCONNIP="5"
127.:deny
END
compile rules
is "$code" 0 'rules are compiled'
is "$(cat errors)" 'tcprules: warning: line 11 repeats an address of line 9, which counts' \
	'with a word about the one that comes too late'
is "$(dump ours.cdb)" '+13,5:joe@127.0.0.1->+A=1^@$
+18,2:xyz@=one.two.three->D^@$
+10,2:18.23.0.32->D^@$
+8,40:1.2.3.37->+RELAYCLIENT=^@+RBLSMTPD=-Blocked^@+X=a"b^@$
+8,40:1.2.3.38->+RELAYCLIENT=^@+RBLSMTPD=-Blocked^@+X=a"b^@$
+8,40:1.2.3.39->+RELAYCLIENT=^@+RBLSMTPD=-Blocked^@+X=a"b^@$
+5,7:10.2.->D^@+Y=z^@$
+5,7:10.3.->D^@+Y=z^@$
+10,0:=known.edu->$
+12,2:=.abuser.edu->D^@$
+1,5:=->+Q=w^@$
+4,14:127.->+RELAYCLIENT=^@$
+0,13:->+MAXCONNIP=5^@$
+4,2:127.->D^@$
$' 'the records, in the order of the lines'
"$reference" theirs.cdb theirs.tmp <rules
same_file ours.cdb theirs.cdb 'the file is the one that the older tcprules makes'
is "$(ls ours.tmp 2>/dev/null)" '' 'the temporary file has been moved'

# Lines that are rules: the same file again.
# shellcheck disable=SC2016
while IFS= read -r line; do
	printf '%b' "$line" >rules
	compile rules
	rm -f theirs.cdb
	"$reference" theirs.cdb theirs.tmp <rules
	is "$code" 0 "compiled: $line"
	same_file ours.cdb theirs.cdb "as the older one does: $line"
done <<'END'

\n\n#\n \t\n#1.2.3.4: allow\n
1.2.3.4:allow 
1.2.3.4:deny \t \n
 :allow
1.2.3.5-2:allow
1.2.3.250-300:allow
254-99999999999999999999:deny
256-300:deny
5-:allow
-5:allow
-:deny
1.-3.:allow
3.-1:allow
1.2.3.01-03:allow
a-b@c:allow
=a-b.c:allow
1.2.3.4-5=:allow
1.2.3.1-2.3-4:allow
10.2-3.:deny
a.1-2:allow
1:allow,A="1"\n1:allow,A="2"\n1:deny
:allow,A=,,,B=xyx,C=/"/
:allow,="x"
:allow,A B="x"
:allow, A="x"
:allow,,A="x"
:allow,A="b=c"
:deny,A="b"
a@b@c:deny
:allow,\0303\0244="\0377\0200"
0-255:allow,RELAYCLIENT=""
END

# Lines that are none: 100, the older one's words, the line's number; the old
# file stays and the temporary one too.
printf 'keep:deny\n' >rules
compile rules
cp ours.cdb kept.cdb
while IFS= read -r line; do
	{
		printf '# one\n\n'
		printf '%b\n' "$line"
	} >rules
	rm -f ours.tmp
	compile rules
	"$reference" theirs.cdb theirs.tmp <rules 2>their-errors
	is "$code" 100 "refused: $line"
	is "$(head -n 1 errors)" "$(tr '\r' '?' <their-errors)" \
		"in the older one's words: $line"
	like "$(sed -n '2,$p' errors)" '^tcprules: fatal: line 3: [a-z ]*[a-z]' \
		"with its number: $line"
	same_file ours.cdb kept.cdb "the old file stays: $line"
	is "$(ls ours.tmp)" ours.tmp "and the temporary one: $line"
done <<'END'
1.2.3.4: allow
:allowx
x:ALLOW
:
x:
1.2.3.4:deny#x
1.2.3.4:allow\r
1.2.3.4:allow,A
1.2.3.4:allow,A=
1.2.3.4:allow,A="x
1.2.3.4:allow,A="x" ,B="y"
1.2.3.4:allow,A="x",
1.2.3.4:allow,A="x"y
1.2.3.4:allow,
1.2.3.a-5:allow
1.2.3.4-x:allow
1.2.3.4-5x:allow
1-2-3:allow
a-b:allow
1.2.3.4:25:deny
host:x:deny
:allow:deny
1.2.3.4:permit,A="b:deny,C=x"
2001:db8::1-5:allow
2001:db8::/129:deny
[2001:db8::1:deny
[2001:db8::1]/:deny
END

# Lines that the older one takes and nobody ever finds.
while IFS= read -r line; do
	printf '%s\n' "$line" >rules
	compile rules
	is "$code" 100 "refused: $line"
	is "$(head -n 1 errors)" "tcprules: fatal: unable to parse this line: $line" \
		"in the usual words: $line"
done <<'END'
10.0.0.0/33:allow
10.0.0.0/x:allow
10.0.0.256/8:deny
10/16:deny
mx.example/24:deny
/:deny
[mx.example]:deny
END

# The rest of a file is compiled around a line without a colon.
printf '1.2.3.4:deny\n\n1.2.3.5 deny\n1.2.3.6:deny' >rules
compile rules
is "$code" 0 'a line without a colon is no error'
is "$(cat errors)" 'tcprules: warning: line 3 has no colon, ignored: 1.2.3.5 deny' \
	'but worth a warning'
"$reference" theirs.cdb theirs.tmp <rules
same_file ours.cdb theirs.cdb 'it is ignored, and the last line needs no newline'

# IPv6 text, as Debian's ucspi-tcp-ipv6 has it.
printf '%s\n' '2001:db8::1:allow,A="x"' '2001:db8::deny' '2001:db8:1:deny' \
	'::1:allow' 'me@::1:deny' '::ffff:1.2.3.4:deny,B="a:allow"' \
	'[2001:DB8:0:0::2]:deny' 'me@[2001:DB8::3]:deny' >rules
compile rules
is "$code" 0 'IPv6 addresses are compiled'
is "$(dump ours.cdb)" '+11,5:2001:db8::1->+A=x^@$
+9,2:2001:db8:->D^@$
+10,2:2001:db8:1->D^@$
+3,0:::1->$
+6,2:me@::1->D^@$
+7,13:1.2.3.4->D^@+B=a:allow^@$
+11,2:2001:db8::2->D^@$
+14,2:me@2001:db8::3->D^@$
$' 'the address ends at the colon before the instruction, and is as tcpserver writes it'
is "$(cat errors)" "tcprules: warning: line 3 is never looked up, no address's text (RFC 5952) is so or begins so: 2001:db8:1:deny" \
	'what no address can begin with is worth a warning'

# Networks: of whole octets for every reader, others with a key that older
# readers never ask for, and one record that says which lengths there are.
cat >rules <<'END'
10.0.0.0/8:deny
172.16.0.0/12:allow,A="1"
192.168.4/22:deny
192.0.2.0/24:deny
192.0.2.7/32:allow
0.0.0.0/0:allow
2001:db8::/32:deny
[2001:DB8:1::]/48:allow
[2001:db8::]:deny
2001:db8::5/128:allow
::ffff:198.51.100.0/120:deny
END
compile rules
is "$code $(cat errors)" '0 ' 'networks are compiled'
is "$(dump ours.cdb)" '+3,2:10.->D^@$
+13,5:172.16.0.0/12->+A=1^@$
+14,2:192.168.4.0/22->D^@$
+8,2:192.0.2.->D^@$
+9,0:192.0.2.7->$
+9,0:0.0.0.0/0->$
+13,2:2001:db8::/32->D^@$
+15,0:2001:db8:1::/48->$
+14,2:2001:db8::/128->D^@$
+11,0:2001:db8::5->$
+11,2:198.51.100.->D^@$
+1,22:/->4 22 12 0^@6 128 48 32^@$
$' 'each by its key, and their lengths at the end'
printf '10.0.0.0/8:deny\n2001:db8::1/128:allow\n' >rules
compile rules
is "$(dump ours.cdb)" '+3,2:10.->D^@$
+11,0:2001:db8::1->$
$' 'no lengths where none are needed'
printf '\n10.1.2.3/8:deny\n2001:db8::1/33:deny\n' >rules
compile rules
is "$code $(cat errors)" '0 tcprules: warning: line 2 has bits behind its prefix length, taken as 0: 10.1.2.3/8:deny
tcprules: warning: line 3 has bits behind its prefix length, taken as 0: 2001:db8::1/33:deny' \
	'bits behind the prefix length are worth a warning'
is "$(dump ours.cdb | head -n 2)" '+3,2:10.->D^@$
+13,2:2001:db8::/33->D^@$' 'and cleared'

# What nobody will ever find is worth a warning, and is compiled as ever.
cat >rules <<'END'
1.2.3:deny
 1.2.3.4:deny
=MX.example:deny
=mx.example.:deny
1.2.3.5-2:deny
1.2.3.1-2.3-4:deny
me@1.2.3.:deny
1.2.3.4:deny
1.2.3.2-5:allow
1.2.3.4:allow
10.0.0.0/8:deny
10.:allow
END
compile rules
is "$code" 0 'warnings are no errors'
is "$(sed 's/^tcprules: warning: //; s/:[^:]*:[^:]*$//' errors)" \
	'line 1 is never looked up, the beginning of an address ends in a dot
line 2 is never looked up, a blank before the address is a part of it
line 3 is never looked up, host names are in lower case
line 4 is never looked up, host names have no dot behind them
line 5 stands for no address, its range is empty
line 6 is never looked up, only the first range of an address is one
line 7 is never looked up, behind an @ stands a whole address or =HOST
line 9 repeats an address of line 8, which counts
line 10 repeats an address of line 8, which counts
line 12 repeats an address of line 11, which counts' \
	'each names its line, and the line that counts'
sed 11d rules >old-rules
compile old-rules
"$reference" theirs.cdb theirs.tmp <old-rules
same_file ours.cdb theirs.cdb 'the file is the same all the same'
printf '%s\n' =a.example:deny =.example:allow 0.0.0.0/0:allow =:allow ::/0:deny :deny >rules
compile rules
is "$(cat errors)" 'tcprules: warning: line 2 is never looked up, the rules of lines 3 and 5 are for all addresses: =.DOMAIN
tcprules: warning: line 4 is never looked up, the rules of lines 3 and 5 are for all addresses: =
tcprules: warning: line 6 is never looked up, the rules of lines 3 and 5 are for all addresses: the empty address' \
	'two rules for all addresses leave nothing for the last ones'
perl -e 'for (1 .. 5) { for my $i (0 .. 149) { print "1.2.3.$i:deny\n", "x$i:deny\n", "no colon\n" } }' >rules
compile rules
is "$code $(grep -c 'never looked up' errors) $(grep -c 'no colon' errors) $(grep -c repeats errors)" \
	'0 50 50 100' 'a flood of warnings is cut'
is "$(grep more errors)" 'tcprules: warning: 1400 more lines are worth a warning
tcprules: warning: 1100 more addresses are repeated' 'and the rest is counted'
perl -e 'for (1 .. 3) { for my $i (0 .. 999) { printf "10.1.%d.%d:deny\n", $i / 256, $i % 256; print "#\n" x ($i == 500 && 300) } }' >rules
compile rules
is "$(grep -c repeats errors) $(head -n 1 errors)" \
	'100 tcprules: warning: line 1301 repeats an address of line 1, which counts' \
	'whatever lies between two lines'
compile rules
perl -e 'print "10.1.2.3:deny\n", "#\n" x 100000, "10.1.2.3:deny\n"' >rules
compile rules
is "$(cat errors)" 'tcprules: warning: line 100002 repeats an address of line 1, which counts' \
	'however much'
perl -e 'print "10.1.2.", $_ % 3, ":deny\n" for 0 .. 3000; print "=", "a" x 500, $_ % 2, ":deny\n" for 0 .. 2' >rules
compile rules
is "$(sed -n '3p;$p' errors)" 'tcprules: warning: line 6 repeats an address of line 3, which counts
tcprules: warning: 2899 more addresses are repeated' 'one address in many lines'
perl -e 'print "=", "a" x 500, $_ % 2, ":deny\n" for 0 .. 2' >rules
compile rules
is "$(cat errors)" 'tcprules: warning: line 3 repeats an address of line 1, which counts' \
	'long addresses'

# Checking only: every mistake at once, and nothing written.
printf '10.0.0.0/8:deny\n1.2.3.4: deny\n10.:deny\nfoo\n10.0.0.0/33:deny\n' >rules
rm -f ours.cdb ours.tmp
tcprules -n ours.cdb ours.tmp <rules 2>errors
is "$? $(cat errors)" '100 tcprules: fatal: unable to parse this line: 1.2.3.4: deny
tcprules: fatal: line 2: no allow or deny behind the colon
tcprules: warning: line 4 has no colon, ignored: foo
tcprules: fatal: unable to parse this line: 10.0.0.0/33:deny
tcprules: fatal: line 5: a prefix length is a number up to 32, or 128 for IPv6
tcprules: warning: line 3 repeats an address of line 1, which counts' \
	'-n says all that is wrong'
is "$(ls ours.cdb ours.tmp 2>/dev/null)" '' 'and writes nothing'
printf '10.:deny\nfoo\n10.:deny\n' | tcprules -n 2>errors
is "$? $(wc -l <errors)" '0 2' 'warnings do not make it fail; no files are needed'
(cd / && printf 'x:\n' | tcprules -n 2>/dev/null)
is "$?" 100 'nor a folder that can be written'
perl -e 'print "x:\n" x 1000' | tcprules -n 2>errors
is "$? $(wc -l <errors) $(tail -n 1 errors)" \
	'100 201 tcprules: fatal: 900 more lines are no rules' 'a flood of mistakes is cut'

# Input of any kind.
printf 'a:allow,A="\0"\n' >rules
compile rules
is "$code" 100 'a NUL in a rule is refused'
is "$(head -n 1 errors)" 'tcprules: fatal: unable to parse this line: a:allow,A="?"' \
	'and shown as a question mark'
printf '#\0\n\0\033[2J\n=b:allow\n' >rules
compile rules
is "$code" 0 'but not in a comment or in a line without a colon'
is "$(cat errors)" 'tcprules: warning: line 2 has no colon, ignored: ??[2J' \
	'which is made printable'

perl -e 'print ":allow,A=\"", "a" x 1000000, "\"\nb:deny\n"' >rules
compile rules
"$reference" theirs.cdb theirs.tmp <rules
same_file ours.cdb theirs.cdb 'a line of a million bytes'
perl -e 'print "b:deny\n:allow,A=\"", "a" x 30000000, "\"\n"' >rules
compile rules
is "$code" 100 'a line of 30 million bytes is refused'
like "$(cat errors)" '^tcprules: fatal: unable to parse this line: :allow,A="aaa*\.\.\.$' \
	'and shown in part'
like "$(cat errors)" '^tcprules: fatal: line 2: it is too long$' 'with its number'
is "$(($(wc -c <errors) < 4096))" 1 'in a short message'

# Many rules, at whatever places the reader's buffer ends.
perl -e 'srand(1); my @what = ("allow", "deny", "allow,RELAYCLIENT=\"\"",
		"allow,A=\"1\",B=/x\"y/", "deny,C=\"" . "c" x 300 . "\"");
	for (1 .. 40000) {
		print join(".", map int(rand(256)), 1 .. 1 + rand(4)),
			(rand() < 0.1 ? "-" . int(rand(256)) : ""),
			(rand() < 0.2 ? "." : ""), ":", $what[rand(@what)], "\n";
		print "# ", "c" x rand(200), "\n" if rand() < 0.1;
	}' >rules
compile rules
is "$code" 0 '40000 lines are compiled'
"$reference" theirs.cdb theirs.tmp <rules
same_file ours.cdb theirs.cdb 'into the same file'
cdb -d ours.cdb >ours.dump
cdb -d theirs.cdb >theirs.dump
same_file ours.dump theirs.dump 'of the same records'
perl -e '$| = 1; open my $in, "<", "rules"; while (sysread($in, my $some, 977)) { print $some }' |
	tcprules piped.cdb piped.tmp 2>/dev/null
same_file piped.cdb theirs.cdb 'a pipe of small pieces gives the same'
: >rules
compile rules
"$reference" theirs.cdb theirs.tmp <rules
same_file ours.cdb theirs.cdb 'no rules at all are a file too'

# What goes wrong.
cp ours.cdb kept.cdb
printf '=x:deny\n' >rules
tcprules none/cdb none/tmp <rules 2>errors
is "$? $(cat errors)" '111 tcprules: fatal: unable to create none/tmp: file does not exist' \
	'the temporary file cannot be made'
tcprules none/cdb ours.tmp <rules 2>errors
is "$? $(cat errors)" '111 tcprules: fatal: unable to move ours.tmp to none/cdb: file does not exist' \
	'it cannot be moved'
tcprules ours.cdb ours.tmp <. 2>errors
is "$? $(cat errors)" '111 tcprules: fatal: unable to read input: is a directory' \
	'the input cannot be read'
tcprules ours.cdb ours.tmp <&- 2>errors
like "$? $(cat errors)" '^111 tcprules: fatal: unable to read input: ' \
	'there is no input'
# /dev/full would be moved away by root.
mkdir full
ln -s /dev/full full/tmp
tcprules ours.cdb full/tmp <rules 2>errors
is "$? $(cat errors)" '111 tcprules: fatal: unable to write to full/tmp: out of disk space' \
	'the disk is full'
same_file ours.cdb kept.cdb 'the old file has stayed all the time'
tcprules ours.cdb ours.tmp <rules 2>&-
is "$? $(dump ours.cdb)" "0 +2,2:=x->D^@\$
\$" 'a closed log does no harm'

usage='tcprules: usage: tcprules [ -n ] rules.cdb rules.tmp'
for arguments in '' 'a' 'a b c' '-n a' '-n a b c'; do
	# shellcheck disable=SC2086
	tcprules $arguments <rules 2>errors
	is "$? $(cat errors)" "100 $usage" "usage: tcprules $arguments"
done
tcprules -z ours.cdb ours.tmp <rules 2>errors
is "$? $(cat errors)" "100 tcprules: illegal option -- z
$usage" 'there is one option'

# On disk before the name, and then the name.
if can_trace 'the order of flushes'; then
	mkdir folder
	strace -o trace -y -e trace=fsync,fdatasync,rename,renameat,renameat2 \
		tcprules folder/cdb folder/tmp <rules
	is "$(sed -n 's/^\([a-z]*\)[^<]*\(<[^>]*>\).*/\1 \2/p; s/^\(rename\)[a-z0-9]*(.*/\1/p' trace |
		sed "s|$(pwd -P)/||")" 'fsync <folder/tmp>
rename
fsync <folder>' 'the file is flushed, then moved, then the folder is flushed'
	strace -o trace -e trace=fsync -e inject=fsync:error=EIO:when=1 \
		tcprules folder/cdb folder/tmp </dev/null 2>errors
	is "$? $(cat errors)" '111 tcprules: fatal: unable to write to folder/tmp: input/output error' \
		'what cannot be flushed is not moved'
	is "$(dump folder/cdb)" '+2,2:=x->D^@$
$' 'and the old file stays'
	strace -o trace -e trace=fsync -e inject=fsync:error=EIO:when=2 \
		tcprules folder/cdb folder/tmp </dev/null 2>errors
	is "$? $(cat errors)" '0 tcprules: warning: unable to flush the folder of the new file: input/output error' \
		'a folder that cannot be flushed is worth a warning'
fi
done_testing
