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
is "$(cat errors)" '' 'without a word'
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
	'::1:allow' 'me@::1:deny' '::ffff:1.2.3.4:deny,B="a:allow"' >rules
compile rules
is "$code" 0 'IPv6 addresses are compiled'
is "$(dump ours.cdb)" '+11,5:2001:db8::1->+A=x^@$
+9,2:2001:db8:->D^@$
+10,2:2001:db8:1->D^@$
+3,0:::1->$
+6,2:me@::1->D^@$
+14,13:::ffff:1.2.3.4->D^@+B=a:allow^@$
$' 'the address ends at the colon before the instruction'

# Input of any kind.
printf 'a:allow,A="\0"\n' >rules
compile rules
is "$code" 100 'a NUL in a rule is refused'
is "$(head -n 1 errors)" 'tcprules: fatal: unable to parse this line: a:allow,A="?"' \
	'and shown as a question mark'
printf '#\0\n\0\033[2J\nb:allow\n' >rules
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
	tcprules piped.cdb piped.tmp
same_file piped.cdb theirs.cdb 'a pipe of small pieces gives the same'
: >rules
compile rules
"$reference" theirs.cdb theirs.tmp <rules
same_file ours.cdb theirs.cdb 'no rules at all are a file too'

# What goes wrong.
cp ours.cdb kept.cdb
printf 'x:deny\n' >rules
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
is "$? $(dump ours.cdb)" "0 +1,2:x->D^@\$
\$" 'a closed log does no harm'

usage='tcprules: usage: tcprules rules.cdb rules.tmp'
for arguments in '' 'a' 'a b c'; do
	# shellcheck disable=SC2086
	tcprules $arguments <rules 2>errors
	is "$? $(cat errors)" "100 $usage" "usage: tcprules $arguments"
done
tcprules -z ours.cdb ours.tmp <rules 2>errors
is "$? $(cat errors)" "100 tcprules: illegal option -- z
$usage" 'there are no options'

# On disk before the name, and then the name.
if strace -o /dev/null true 2>/dev/null; then
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
	is "$(dump folder/cdb)" '+1,2:x->D^@$
$' 'and the old file stays'
	strace -o trace -e trace=fsync -e inject=fsync:error=EIO:when=2 \
		tcprules folder/cdb folder/tmp </dev/null 2>errors
	is "$? $(cat errors)" '0 tcprules: warning: unable to flush the folder of the new file: input/output error' \
		'a folder that cannot be flushed is worth a warning'
else
	ok 'the order of flushes # SKIP strace cannot trace here'
fi
done_testing
