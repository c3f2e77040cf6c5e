#!/bin/sh
# auth-cdb: logins against tables that tinycdb and mkauth's kind make, with hashes
# of the system's crypt, and of Perl's digests for SCRAM and CRAM-MD5.
. "$(dirname "$0")/../lib.sh"

need cdb perl
AUTH_CDB=$work/auth.cdb
export AUTH_CDB
unset SMTP_AUTH_USER DATABYTES SETTING PASSWORD_EXPIRES

# The table is made of lines, LOGIN VALUE, as cdbmake-12 takes them.
make_table() {
	{ cat; echo; } >"$work/lines"
	cdb -c -m "$AUTH_CDB" "$work/lines"
}
# check WANTED NAME ARGUMENT...: the exit code and what -p prints, NULs as |
check() {
	wanted=$1 name=$2
	shift 2
	output=$(timeout 60 auth-client "$@" auth-cdb -p 2>"$work/log" | tr '\0' '|')
	is "$output" "$wanted" "$name"
}
check_scram() {
	wanted=$1 name=$2
	shift 2
	output=$(timeout 60 auth-client -s "$@" auth-cdb -ps 2>"$work/log" | tr '\0' '|')
	is "$output" "$wanted" "$name"
}
# ask FORMAT ARGUMENT...: what descriptor 3 gives, to `auth-cdb ARGUMENT...`
ask() {
	# shellcheck disable=SC2059 # the format is the point
	printf "$1" >"$work/request"
	shift
	output=$(auth-cdb "$@" 3<"$work/request" 2>"$work/log")
	code=$?
}
bcrypt='$2b$05$abcdefghijklmnopqrstuu'

# Every kind of hash that the system's crypt has.
: >"$work/table"
# shellcheck disable=SC2016 # crypt's dollars
for setting in yescrypt:'$y$j75$abcdefgh' sha512:'$6$rounds=1000$abcdefgh' \
	sha512-plain:'$6$abcdefgh' sha256:'$5$abcdefgh' bcrypt:"$bcrypt" \
	md5:'$1$abcdefgh' des:ab; do
	kind=${setting%%:*}
	hash=$(auth-entry crypt "secret of $kind" "${setting#*:}")
	case $hash in
	"${setting#*:}"*) echo "$kind@example.com $hash" >>"$work/table" ;;
	*) skip "crypt here has no $kind" "$kind" ;;
	esac
done
make_table <"$work/table"
while read -r login _; do
	check "SMTP_AUTH_USER=$login|" "$login: the password" \
		-l "$login" -p "secret of ${login%@*}"
	check "bad password|" "$login: another one" -l "$login" -p "secret"
done <"$work/table"
if is_here openssl "openssl passwd"; then
	echo "open $(openssl passwd -6 "a b")" | make_table
	check "SMTP_AUTH_USER=open|" "a hash of openssl passwd" -l open -p "a b"
fi

# Settings, and what they must not be.
secret=$(auth-entry crypt secret "$bcrypt")
now=$(date +%s)
make_table <<END
plain $secret
user $secret,DATABYTES="5",SETTING="a b,c=d",EMPTY=""
Upper $secret
unsafe $secret,PATH="/tmp",LD_PRELOAD="x",SMTP_AUTH_USER="root",SETTING="1"
broken $secret,SETTING="1",OTHER=2,THIRD="3"
expired $secret,PASSWORD_EXPIRES="$now",SETTING="1"
later $secret,PASSWORD_EXPIRES="$((now + 10000))",SETTING="1"
never $secret,PASSWORD_EXPIRES="never"
star *
bang !
bangs !!
locked !$secret
starred *$secret
empty ,SETTING="1"
error *0
short x
strange \$nothing\$of\$ours
END
check 'DATABYTES=5|SETTING=a b,c=d|EMPTY=|SMTP_AUTH_USER=user|' "settings" \
	-l user -p secret
check 'unknown user|' "a login is compared as it is" -l upper -p secret
check 'unknown user|' "and as a whole" -l plai -p secret
check 'unknown user|' "nobody's login" -l "" -p secret
check 'bad password|' "no password" -l plain -p ""
check 'SETTING=1|SMTP_AUTH_USER=unsafe|' "what no table may set" \
	-l unsafe -p secret
like "$(cat "$work/log")" "may not set PATH for unsafe" "PATH is left out"
like "$(cat "$work/log")" "may not set LD_PRELOAD for unsafe" "and LD_PRELOAD"
like "$(cat "$work/log")" "may not set SMTP_AUTH_USER for unsafe" "and the login"
check 'SETTING=1|SMTP_AUTH_USER=broken|' "settings end where they are none" \
	-l broken -p secret
check 'password expired|' "a password that expires now" -l expired -p secret
check 'bad password|' "another one does not learn that" -l expired -p secre
check 'SETTING=1|SMTP_AUTH_USER=later|' "one that expires later" -l later -p secret
check 'password expired|' "one that expires at no time" -l never -p secret
for login in star bang bangs locked starred empty error; do
	for password in secret "*" "" "*0"; do
		check 'bad password|' "$login never matches '$password'" \
			-l "$login" -p "$password"
	done
done
check 'bad password|' "what is no hash matches nothing" -l short -p x
check 'bad password|' "nor does a hash of another kind" -l strange -p secret
like "$(cat "$work/log")" "no hash that is known here for strange" "it is warned of"

# What checkpassword programs do.
ask 'user\0secret\0\0' env
is "$code" 0 "the program's exit"
like "$output" '^DATABYTES=5$' "the program has the settings"
like "$output" '^SMTP_AUTH_USER=user$' "and the login"
unlike "$output" 'secret' "and not the password"
ask 'unsafe\0secret\0\0' env
like "$output" '^SMTP_AUTH_USER=unsafe$' "no setting is in the login's place"
ask 'user\0secret\0Y123456\0' sh -c 'exit 42'
is "$code" 42 "a timestamp does no harm; the exit is the program's"
ask 'user\0secret\0\0' sh -c 'cat <&3'
is "$code: $output" "2: " "descriptor 3 is closed"
ask 'user\0wrong\0\0' echo ran
is "$code: $output: $(cat "$work/log")" "1: : " "a wrong password: 1, and not a word"
ask 'nobody\0wrong\0\0' echo ran
is "$code: $output: $(cat "$work/log")" "1: : " "a stranger: the same"
for request in '' 'user' 'user\0' 'user\0secret' 'user\0secret\0' 'user\0secret\0x'; do
	ask "$request" echo ran
	is "$code: $output" "2: " "misuse: '$request'"
done
long=$(printf '%0500d' 0 | tr 0 x)
ask "user\\0${long}yyyyy\\0\\0" echo ran
is "$code: $output" "1: " "512 bytes are read"
like "$(wc -c <"$work/request")" '^512$' "as many as there are"
ask "user\\0${long}yyyyyy\\0\\0" echo ran
is "$code: $output: $(cat "$work/log")" "1: : " "one more is refused"
ask 'user\0secret\0\0'
is "$code" 2 "misuse: no program"
ask 'user\0secret\0\0' -p env
is "$code" 2 "misuse: -p and a program"
ask 'user\0secret\0\0' -x env
is "$code" 2 "misuse: an option that there is not"
output=$(auth-cdb true 3<&- 2>&1)
is "$?" 2 "misuse: no descriptor 3"
ask 'user\0secret\0\0' "$work/none"
is "$code" 111 "a program that is not there"
AUTH_CDB=$work/none ask 'user\0secret\0\0' echo ran
is "$code: $output" "111: " "a table that is not there"
is "$(cat "$work/log")" "auth-cdb: fatal: unable to read $work/none: file does not exist" \
	"is said"
head -c 3000 "$AUTH_CDB" >"$work/cut.cdb"
# A whole file as far as its header says, with records that lead out of it.
perl -pe 'BEGIN { $/ = undef } substr($_, 2048, 4) = "\xff" x 4' "$AUTH_CDB" >"$work/broken.cdb"
for table in cut broken; do
	AUTH_CDB=$work/$table.cdb ask 'user\0secret\0\0' echo ran
	is "$code: $output" "111: " "a table that was $table"
	wanted="auth-cdb: fatal: unable to read $work/$table.cdb: it is damaged, or no cdb"
	is "$(cat "$work/log")" "$wanted" "is said"
	AUTH_CDB=$work/$table.cdb auth-client -s -l user -p secret auth-cdb -ps \
		>"$work/output" 2>"$work/log"
	is "$? $(cat "$work/output")" "111 " "a table that was $table, by SCRAM"
	is "$(cat "$work/log")" "$wanted" "is said, too"
done
mkdir "$work/control"
cp "$AUTH_CDB" "$work/control/auth.cdb"
AUTH_CDB='' CONTROLDIR=$work/control ask 'user\0secret\0\0' echo ran
is "$code: $output" "0: ran" "control/auth.cdb is the table when no other is named"
: | make_table
ask 'user\0secret\0\0' echo ran
is "$code: $output" "1: " "a table with nobody in it"

# CRAM-MD5. The entry is what doveadm pw makes of "password".
make_table <<END
cram {CRAM-MD5}9186d855e11eba527a7a52ca82b313e180d62234f0acc9051b527243d41e2740,SETTING="1"
long $(auth-entry cram "$long")
plain $secret
END
check 'SETTING=1|SMTP_AUTH_USER=cram|' "CRAM-MD5" \
	-m -c '<1.2@server.example>' -l cram -p password
check 'bad password|' "CRAM-MD5 with another password" \
	-m -c '<1.2@server.example>' -l cram -p passwort
check 'bad password|' "CRAM-MD5 without a challenge" -m -l cram -p password
check 'SETTING=1|SMTP_AUTH_USER=cram|' "its password itself" -l cram -p password
check 'bad password|' "not its entry" -l cram \
	-p 9186d855e11eba527a7a52ca82b313e180d62234f0acc9051b527243d41e2740
check 'SMTP_AUTH_USER=long|' "a password longer than a block" \
	-m -c '<1.2@server.example>' -l long -p "$long"
check 'bad password|' "not with a hash of crypt" \
	-m -c '<1.2@server.example>' -l plain -p secret

# SCRAM-SHA-256.
make_table <<END
scram $(auth-entry scram pencil),SETTING="1"
a,b=c $(auth-entry scram pencil 100)
plain $secret
star *
old $(auth-entry scram pencil),PASSWORD_EXPIRES="$now"
END
check_scram 'SETTING=1|SMTP_AUTH_USER=scram|' "SCRAM" -l scram -p pencil
check_scram 'SMTP_AUTH_USER=a,b=c|' "a login with a comma" -l a,b=c -p pencil
check 'SETTING=1|SMTP_AUTH_USER=scram|' "its password itself" -l scram -p pencil
check 'bad password|' "another one" -l scram -p pencils
check_scram 'bad password|' "SCRAM with another password" -l scram -p pencils
check_scram 'unknown user|' "SCRAM of a stranger" -l nobody -p pencil
check_scram 'bad password|' "SCRAM with a hash of crypt" -l plain -p secret
check_scram 'bad password|' "SCRAM of who is locked out" -l star -p secret
check_scram 'password expired|' "SCRAM with a password that has expired" \
	-l old -p pencil
check_scram 'bad password|' "another one does not learn that" -l old -p pen
check_scram 'SETTING=1|SMTP_AUTH_USER=scram|' "a client that would bind a channel" \
	-g y,, -l scram -p pencil
check_scram 'malformed answer|' "one that does" -g p=tls-unique,, -l scram -p pencil
check_scram 'SETTING=1|SMTP_AUTH_USER=scram|' "another identity is not looked at" \
	-g n,a=root, -l scram -p pencil
check_scram 'malformed answer|' "no message" -f hello -l scram -p pencil
check_scram 'malformed answer|' "two messages at once" \
	-f 'n,,n=scram,r=abc%00c=biws' -l scram -p pencil
check_scram 'SETTING=1|SMTP_AUTH_USER=scram|' "an extension" -F ,x=1 -l scram -p pencil
check_scram 'malformed answer|' "bytes behind the proof" -b ,x=1 -l scram -p pencil
check_scram 'malformed answer|' "a client that gives up" -q -l scram -p pencil
check_scram 'malformed answer|' "a message that is too long" \
	-f "$(printf '%010000d' 0)" -l scram -p pencil
auth-client -s -l scram -p pencil auth-cdb -s sh -c 'exit 42' 2>/dev/null
is "$?" 42 "SCRAM, and a program"

# The password, the salt and the iterations of RFC 7677's example, made by Perl's
# Digest::SHA.
make_table <<END
user SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=
END
check_scram 'SMTP_AUTH_USER=user|' "RFC 7677's example" -l user -p pencil
check 'SMTP_AUTH_USER=user|' "and its password itself" -l user -p pencil

# What strangers are told is always the same, and looks like what others are.
make_table <<END
scram $(auth-entry scram pencil),SETTING="1"
a,b=c $(auth-entry scram pencil 100)
plain $secret
END
challenge() {
	auth-client -s -q -v -l "$1" auth-cdb -ps 2>&1 | tr -d '\0' | head -n 1
}
is "$(challenge nobody)" "$(challenge nobody)" "a stranger's salt stays"
unlike "$(challenge nobody)" "$(challenge somebody)" "another one has another"
like "$(challenge nobody | sed 's/malformed answer//')" \
	'^s=[A-Za-z0-9+/]{22}==,i=(4096|100)$' "it looks like anybody's"
unlike "$(challenge nobody)" "$(challenge scram)" "and is nobody's"

# With a secret in the table, nothing else in it decides what strangers are told.
# with_secret SECRET: the lines of standard input, in front of it
with_secret() {
	while read -r login value; do
		echo "+${#login},${#value}:$login->$value"
	done >"$work/lines"
	printf '+1,%d:\0->%s\n\n' "${#1}" "$1" | cat "$work/lines" - | cdb -c "$AUTH_CDB"
}
one=$(auth-entry scram pencil) other=$(auth-entry scram pencil)
echo "a $one" | with_secret '*secret'
told=$(challenge nobody)
real=$(challenge a)
echo "a $other" | with_secret '*secret'
is "$(challenge nobody)" "$told" "a stranger's salt stays when a password changes"
unlike "$(challenge a)" "$real" "the other's does not"
printf 'a %s\nb %s\n' "$other" "$one" | with_secret '*secret'
is "$(challenge nobody)" "$told" "and when logins come"
echo "a $one" | with_secret '*another'
unlike "$(challenge nobody)" "$told" "another secret: another salt"
check_scram 'SMTP_AUTH_USER=a|' "the login is not concerned" -l a -p pencil
check 'unknown user|' "the secret is nobody's login" -l '' -p secret
# A salt that is longer than a digest shows no pattern.
long_salt=$(perl -MMIME::Base64 -e 'print encode_base64("x" x 64, "")')
echo "a SCRAM-SHA-256\$4096:$long_salt\$${one#*"$"*"$"}" | with_secret '*secret'
is "$(challenge nobody | perl -MMIME::Base64 -ne '
	/s=([^,]+),i=/ or die; my $salt = decode_base64($1);
	print length $salt, substr($salt, 0, 32) eq substr($salt, 32) ? " same" : " other"')" \
	"64 other" "a long salt of a stranger"

# What -m makes, and what others make of it.
# made KIND PASSWORD [COST]: an entry
made() {
	printf '%s\n' "$2" | auth-cdb -m "$1" ${3:+-c "$3"} 2>"$work/log"
}
for kind in scram-sha-256 cram-md5 yescrypt sha512 bcrypt; do
	entry=$(made "$kind" "a b,c")
	is "$?: $(cat "$work/log")" "0: " "-m $kind"
	unlike "$(made "$kind" "a b,c" | sed '/CRAM/d')" "$entry" "$kind: each with a salt of its own"
	echo "user $entry,SETTING=\"1\"" | make_table
	check 'SETTING=1|SMTP_AUTH_USER=user|' "$kind: its password" -l user -p "a b,c"
	check 'bad password|' "$kind: another one" -l user -p "a b,"
done
long=$(printf '%0100d' 0)
for password in x "$long" 'päß'; do
	entry=$(made scram-sha-256 "$password" 5000)
	echo "user $entry" | make_table
	check_scram 'SMTP_AUTH_USER=user|' "SCRAM with what -m made of '$password'" \
		-l user -p "$password"
	if is_here python3 "Python: SCRAM's entry of '$password'"; then
		is "$(python3 - "$entry" "$password" <<'END'
import base64, hashlib, hmac, sys
name, work, keys = sys.argv[1].split('$')
iterations, salt = work.split(':')
stored, server = keys.split(':')
salted = hashlib.pbkdf2_hmac('sha256', sys.argv[2].encode(), base64.b64decode(salt), int(iterations))
sign = lambda text: hmac.new(salted, text, 'sha256').digest()
print(name, iterations, len(base64.b64decode(salt)),
      base64.b64decode(stored) == hashlib.sha256(sign(b'Client Key')).digest(),
      base64.b64decode(server) == sign(b'Server Key'))
END
		)" "SCRAM-SHA-256 5000 16 True True" "Python: SCRAM's entry of '$password'"
	fi
	is "$(made cram-md5 "$password")" "$(auth-entry cram "$password")" \
		"CRAM-MD5's entry of '$password'"
done
entry=$(made sha512 'a b')
if is_here openssl "openssl passwd, of what -m made"; then
	salt=${entry#??}
	salt=${salt#?}
	is "$(openssl passwd -6 -salt "${salt%%"$"*}" 'a b')" "$entry" \
		"openssl passwd, of what -m made"
fi
is "$(auth-entry crypt 'a b' "$entry")" "$entry" "the system's crypt, too"
like "$(made sha512 x 2000)" '^\$6\$rounds=2000\$' "the cost of sha512"
like "$(made bcrypt x)" '^\$2b\$10\$' "the usual one of bcrypt"
like "$(made bcrypt x 6)" '^\$2b\$06\$' "another one"
like "$(made yescrypt x 1)" '^\$y\$j75\$' "that of yescrypt"
like "$(made scram-sha-256 x)" '^SCRAM-SHA-256\$4096:' "the iterations of SCRAM"

# -m: what it takes for a password.
like "$(printf 'x' | auth-cdb -m cram-md5)" "^\\{CRAM" "a line that does not end"
is "$(printf 'x\nyz\n' | auth-cdb -m cram-md5)" "$(auth-entry cram x)" "the first line only"
# refused INPUT WORDS NAME ARGUMENT...
refused() {
	# shellcheck disable=SC2059 # with its escapes
	printf "$1" >"$work/input"
	words=$2 name=$3
	shift 3
	output=$(auth-cdb "$@" <"$work/input" 2>"$work/log")
	is "$?: $output" "2: " "$name"
	like "$(head -n 2 "$work/log")" "$words" "$name: is said"
}
refused '' 'is empty' "no password" -m yescrypt
refused '\n' 'is empty' "an empty one" -m yescrypt
refused 'a\0b\n' 'has a NUL' "a NUL in it" -m yescrypt
refused "$(printf '%0509d' 0)\\n" 'is too long' "one that no client can send" -m yescrypt
refused "$(printf '%073d' 0)\\n" 'bcrypt takes 72 bytes' "one that bcrypt would cut" -m bcrypt
refused 'x\n' 'a kind is' "no such kind" -m md5
refused 'x\n' 'from 4096 to' "too few iterations" -m scram-sha-256 -c 4095
refused 'x\n' 'from 4 to 31' "no number" -m bcrypt -c x
refused 'x\n' 'has no cost' "a cost of CRAM-MD5" -m cram-md5 -c 5
refused 'x\n' 'with -m there is no login' "-m and -p" -m cram-md5 -p
refused 'x\n' 'no program to run here' "-m and a program" -m cram-md5 true
refused 'x\n' 'has a cost' "-c alone" -p -c 5
printf '%0508d\n' 0 | auth-cdb -m sha512 >"$work/output" 2>"$work/log"
is "$?" 0 "the longest password"
echo x | auth-cdb -m cram-md5 2>"$work/log" >/dev/full
is "$?" 111 "an entry that cannot be written"

# At a terminal, where nobody sees what is typed.
if is_here python3 "-m at a terminal"; then
	cat >"$work/terminal" <<'END'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp('auth-cdb', ['auth-cdb', '-m', 'cram-md5'])
seen = b''
for prompt, typed in zip((b'password: ', b'once more: '), sys.argv[1:]):
    while not seen.endswith(prompt):
        seen += os.read(fd, 1)
    os.write(fd, typed.encode() + b'\n')
try:
    while byte := os.read(fd, 1):
        seen += byte
except OSError:  # Linux's end of a terminal
    pass
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]),
      *seen.decode().replace('\r', '').split('\n')[:3], sep='|')
END
	is "$(timeout 60 python3 "$work/terminal" secret secret)" \
		"0|password: |once more: |$(auth-entry cram secret)" "-m at a terminal"
	is "$(timeout 60 python3 "$work/terminal" secret other)" \
		"2|password: |once more: |auth-cdb: these were two passwords" \
		"-m: two passwords"
fi

# A stranger costs what somebody else's wrong password costs, in CPU time, with a
# hash that takes long beside a tick of it.
slow=$(auth-entry crypt secret "\$2b\$11\$abcdefghijklmnopqrstuu")
make_table <<END
slow $slow
star *
END
cat >"$work/cpu" <<'END'
use POSIX ();
# The least of three, in ticks of CPU time, of one check.
my ($login) = @ARGV;
my $least;
for (1 .. 3) {
	my $before = (POSIX::times())[3];
	system 'auth-client', '-l', $login, '-p', 'wrong', 'auth-cdb', 'true';
	my $ticks = (POSIX::times())[3] - $before;
	$least = $ticks if !defined $least || $ticks < $least;
}
print "$least\n";
END
wrong=$(perl "$work/cpu" slow)
for login in nobody star ""; do
	ticks=$(perl "$work/cpu" "$login")
	if [ "$ticks" -ge $((wrong * 2 / 3)) ] && [ "$ticks" -le $((wrong * 3 / 2)) ]; then
		ok "'$login' costs what a wrong password costs"
	else
		not_ok "'$login' costs what a wrong password costs" "$ticks, not $wrong"
	fi
done

# The kernel is told that nobody may look on, before the password is read.
if is_plain "no core dump" && can_trace "no core dump"; then
	printf 'slow\0secret\0\0' >"$work/request"
	strace -o "$work/trace" -e trace=prctl,read auth-cdb true 3<"$work/request"
	# By then strace may not look into it either, unless it is root's.
	like "$(sed -n '/PR_SET_DUMPABLE\|^read(3,/{p;q;}' "$work/trace")" \
		'^prctl\(PR_SET_DUMPABLE, SUID_DUMP_DISABLE\) += 0$' "no core dump holds a password"
fi

# A table that is renamed into place counts from the next login on.
make_table <<END
user $secret
END
ask 'user\0secret\0\0' echo ran
is "$code: $output" "0: ran" "the old table"
echo "user $(auth-entry crypt other "$bcrypt")" >"$work/lines"
echo >>"$work/lines"
cdb -c -m "$work/new.cdb" "$work/lines"
mv "$work/new.cdb" "$AUTH_CDB"
ask 'user\0secret\0\0' echo ran
is "$code: $output" "1: " "the new one"

# mkauth's table, and what memory limits of run scripts do.
mkdir "$work/home" "$work/home/control" "$work/home/users"
echo mail.example.com >"$work/home/control/me"
echo "robot $secret,SETTING=\"1\"" >"$work/home/control/authusers"
: >"$work/passwd"
mkauth -n -q "$work/home" -p "$work/passwd" -s "$work/passwd" -c "$AUTH_CDB" 2>"$work/log"
check 'SETTING=1|SMTP_AUTH_USER=robot|' "a table of mkauth" -l robot -p secret
# shellcheck disable=SC2016 # crypt's dollars
yescrypt=$(auth-entry crypt secret '$y$j9T$abcdefgh')
case $yescrypt in
\$y\$*)
	make_table <<END
user $yescrypt
END
	if is_plain "yescrypt with little memory"; then
		printf 'user\0secret\0\0' >"$work/request"
		(
			ulimit -S -v 14000
			exec auth-cdb -p 3<"$work/request"
		) >"$work/output" 2>"$work/log"
		is "$? $(tr '\0' '|' <"$work/output")" "0 SMTP_AUTH_USER=user|" \
			"a soft limit of memory is lifted"
		(
			ulimit -v 14000
			exec auth-cdb -p 3<"$work/request"
		) >"$work/output" 2>"$work/log"
		is "$? $(cat "$work/output")" "111 " "a hard one is no wrong password"
		like "$(cat "$work/log")" "unable to check a password: out of memory" \
			"and is said"
	fi
	;;
esac

done_testing
