#!/bin/sh
# filter-attachment: what it refuses by name, by its first bytes and by patterns, in
# messages that mail programs make, and in those that somebody means to hide
# something in.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$tests/filters.sh"
unset REJECTEXEC QUEUE_MAILDIR
envelope s@example.org r@example.net 'R@example.net'
bad='DYour email was rejected because it contains a bad attachment:'
mime="Dwe don't accept email with this MIME content (#5.3.4)"
printf '%s\n' '# programs' .com '' .exe ' .scr : of screens' .pif >"$work/control/ssattach"

# part LINE…: a message of a text, and of a part that has these lines
part() {
	message parts 'MIME-Version: 1.0' 'Content-Type: multipart/mixed;' \
		'	boundary="=_b/1"' '' 'No reader shows this.' '--=_b/1' '' 'hello' \
		'--=_b/1' "$@" '--=_b/1--'
}
# attached NAME: a part with a file of that name
attached() {
	part 'Content-Type: application/octet-stream' \
		"Content-Disposition: attachment; filename=$1" \
		'Content-Transfer-Encoding: base64' '' 'aGVsbG8K'
}

# --- a name, each way that a message comes
for through in file offset pipe; do
	attached Eicar.com
	filter filter-attachment
	refused_with 82 "$bad Eicar.com" "$through: a bad name"
	logged 'ATTACH:[0-9]+\.[0-9]{4}s:Eicar.com:.*:s@example.org:r@example.net,R@example.net' "$through: log"
	attached Eicar.txt
	filter filter-attachment
	went_on "$through: another"
	logged 'CLEAN:[0-9.]+s:-:.*:s@example.org:r@example.net,R@example.net' "$through, clean: log"
	is "$(cat "$work/next.pid")" "$pid" "$through: one process"
	attached Eicar.txt
	lengthen 3000000
	filter filter-attachment
	went_on "$through: a long message"
	printf '%s\n' '--=_b/1' 'Content-Disposition: x; filename=a.exe' '' x >>"$work/message"
	filter filter-attachment
	refused_with 82 "$bad a.exe" "$through: the name at its end"
done
is "$(ls -A "$work/scratch")" '' 'no file is left'
through='file'
: >"$work/message"
filter filter-attachment
went_on 'no byte at all'

# --- which names
while IFS='|' read -r name shown; do
	attached "$name"
	filter filter-attachment
	if [ "$shown" ]; then refused_with 82 "$bad $shown" "$name"
	else went_on "$name"; fi
done <<'END'
A.EXE|A.EXE
"a b.exe"|a b.exe
a.exe.txt|
a.txt.exe|a.txt.exe
aexe|
.com|.com
"see www.example.com for more.txt"|
"a.exe. . ."|a.exe
a.scr|a.scr
a.pif;|a.pif
screens|
:|
=?utf-8?B?YS5leGU=?=|a.exe
"=?iso-8859-1?Q?R=E4tsel=2Escr?="|R?tsel.scr
x; filename*=utf-8''%e2%82%ac%2Eexe|???.exe
x; filename*0=a.e; filename*1=xe|a.exe
x; FILENAME*1*=%65xe; filename*0*=utf-8''a.|a.exe
END

# --- where they really are
# H: lines of the header; others are below a text
while IFS='|' read -r what expected lines; do
	text=$(printf '%b' "${lines#H:}")
	if [ "${lines#H:}" = "$lines" ]; then
		message "$what" '' hello "$text"
	else message "$what" "$text"; fi
	filter filter-attachment
	if [ "$expected" = bad ]; then refused_with 82 "$bad a.exe" "$what"
	else went_on "$what"; fi
done <<'END'
a text that speaks of one||Content-Disposition: attachment; filename=a.exe\n
a header in a text||\n--b\nContent-Disposition: attachment; filename=a.exe\n\nx\n
the message itself|bad|H:Content-Disposition: attachment; filename=a.exe\n\nx\n
another field||H:X-Content-Disposition: attachment; filename=a.exe\n\nx\n
a header without an end|bad|H:Content-Type: x/y; name=a.exe
text with a file in it|bad|begin 644 a.exe\n#35J0\n`\nend\n
text with none||begin 644 a.exe\nand go on with it\n
no end of parts|bad|H:Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: x/y; name=a.exe\n
no boundary|bad|H:Content-Type: multipart/mixed\n\n--b\nContent-Type: x/y; name=a.exe\n\n
before the parts||H:Content-Type: multipart/mixed; boundary=b\n\nContent-Type: x/y; name=a.exe\n--b\n\nx\n--b--\n
behind them||H:Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\nContent-Type: x/y; name=a.exe\n
a line that ends in CR|bad|H:X: y\rContent-Type: x/y; name=a.exe\n\n
quotes without an end|bad|H:Content-Type: x/y; x="; name=a.exe\n\n
a comment without an end|bad|H:Content-Type: x/y; (x; name=a.exe\n\n
marks that nobody sees|bad|H:Content-Type: x/y; name="a.\0342\0200\0213exe\0342\0200\0256"\n\n
END

# --- attached messages, encoded as often as can be
nested() {
	printf 'Subject: in it\nContent-Disposition: x; filename=a.exe\n\nx\n' >"$work/inner"
	for _ in $(seq "$1"); do
		{
			printf 'Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n'
			base64 "$work/inner"
		} >"$work/outer"
		mv "$work/outer" "$work/inner"
	done
	part "$(cat "$work/inner")"
}
for times in 0 1 2 5; do
	nested $times
	filter filter-attachment
	refused_with 82 "$bad a.exe" "attached, encoded $times times"
done
nested 7
filter filter-attachment
refused_with 82 "$bad encoded too many times" 'encoded seven times'
# A reader puts together as many pieces as there are, in any order.
{
	printf 'Content-Type: application/octet-stream'
	for i in $(seq 103 -1 0); do
		case $i in
		103) c=e ;; 102) c=x ;; 101) c=e ;; 100) c=. ;; *) c=a ;;
		esac
		printf ';\n name*%d=%s' "$i" "$c"
	done
	printf '\n\nx\n'
} >"$work/inner"
part "$(cat "$work/inner")"
filter filter-attachment
refused_with 82 "$bad a name in too many pieces" 'a name in 104 pieces, the last one first'

# --- mail programs
# attachment_is BAD NAME: what they have made of it
attachment_is() {
	filter filter-attachment
	if [ "$1" ]; then refused_with 82 "$bad $1" "$2"
	else went_on "$2"; fi
}
if is_here swaks 'swaks --attach'; then
	for name in setup.exe setup.txt; do
		echo hello >"$work/$name"
		swaks --dump-mail --to r@example.net --from s@example.org \
			--attach "@$work/$name" --h-Subject hello >"$work/message" 2>/dev/null
		grep -q '^Content-Disposition: attachment' "$work/message"
		is $? 0 'swaks: there is an attachment'
		attachment_is "$(echo "$name" | grep exe)" "swaks: $name"
	done
fi
# python NAME HOW
python() {
	python3 - "$@" >"$work/message" <<'END'
import sys
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email import policy
name, how = sys.argv[1:]
m = EmailMessage()
m["Subject"] = "hello"
m.set_content("hello \u20ac\n")
m.add_alternative("<p>hello</p>", subtype="html")
m.add_attachment(b"hello", maintype="application", subtype="octet-stream", filename=name)
if how == "nested":
    outer = EmailMessage()
    outer["Subject"] = "outer"
    outer.set_content("see")
    outer.add_attachment(m)
    m = outer
if how == "old":
    m = MIMEMultipart()
    part = MIMEApplication(b"hello")
    part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", name))
    m.attach(part)
sys.stdout.buffer.write(m.as_bytes(policy=policy.SMTP.clone(linesep="\n")))
END
}
if is_here python3 'the email package of Python'; then
	for how in plain nested old; do
		python setup.exe $how
		attachment_is setup.exe "Python, $how"
		python setup.txt $how
		attachment_is '' "Python, $how: another"
		python "$(printf 'pr\303\251sentation et quelques mots encore, qui sont longs et bien accentu\303\251s pour remplir plusieurs lignes.exe')" $how
		filter filter-attachment
		like "$code $(cat "$work/text")" "^82 $bad pr" "Python, $how: a long name"
		like "$(cat "$work/log")" 'plusieurs lignes.exe' "Python, $how: all of it"
	done
fi

# --- lists
seq -f .x%g 150 >"$work/control/ssattach"
for name in a.x1 a.x150; do
	attached $name
	filter filter-attachment
	refused_with 82 "$bad $name" "150 suffixes: $name"
done
attached a.exe
filter filter-attachment
went_on '150 suffixes: another'
for list in '# nothing' ''; do
	echo "$list" >"$work/control/ssattach"
	filter filter-attachment
	went_on 'an empty list'
	logged 'SKIPPED:[0-9.]+s:nothing to look for:.*' 'an empty list: log'
done
rm "$work/control/ssattach"
filter filter-attachment
went_on 'no list'
mkdir "$work/control/ssattach"
filter filter-attachment
refused_with 55 '' 'a list that cannot be read'
logged 'ERROR:[0-9.]+s:cannot read ssattach:.*' 'a list that cannot be read: log'
rmdir "$work/control/ssattach"
echo .exe >"$work/control/ssattach"

# --- settings of a domain
# simcontrol LINE…
simcontrol() {
	printf '%s\n' "$@" >"$work/control/simcontrol"
	simscanmk >/dev/null 2>&1
}
if is_here simscanmk 'settings of a domain'; then
	attached a.zip
	while IFS='|' read -r line text; do
		simcontrol "$line"
		filter filter-attachment
		if [ "$text" ]; then refused_with 82 "$text" "simcontrol: $line"
		else went_on "simcontrol: $line"; fi
	done <<END
example.net:attach=.exe:.zip|$bad a.zip
example.net:attach=.ZIP|$bad a.zip
:attach=.zip|$bad a.zip
r@example.net:attach=.zip|$bad a.zip
example.org:attach=.zip|$bad a.zip
example.com:attach=.zip|
example.net:attach=.exe|
example.net:regex=Subject|DYour email was rejected because it matches a filter (#0)
example.net:regex=nothing:^To:^h[a-z]+o\$|DYour email was rejected because it matches a filter (#1)
example.net:regex=nothing:^h[a-z]+o\$|DYour email was rejected because it matches a filter (#1)
example.net:regex=^ello|
example.net:regex=subject.|
example.net:regex=nothing,attach=.zip|$bad a.zip
END
	simcontrol 'example.net:regex=^h[a-z]+o$'
	filter filter-attachment
	logged 'REGEX:[0-9.]+s:#0:.*' 'a pattern: log'
	attached a.exe
	simcontrol 'example.com:clam=yes'
	filter filter-attachment
	went_on 'with simcontrol.cdb, ssattach is not looked at'
	# simscan's own simscanmk takes any pattern.
	printf '+11,22:example.net->attach=.exe,regex=a(b,\n\n' |
		cdb -c "$work/control/simcontrol.cdb"
	filter filter-attachment
	refused_with 55 '' 'a pattern that is none'
	like "$(cat "$work/log")" '^filter-attachment: warning: a bad pattern in simcontrol: a\(b$' 'a pattern that is none: log'
	filter filter-attachment -o
	refused_with 55 '' 'also with -o'
	simcontrol "example.net:regex=$(seq -s 'x:' 100)x"
	filter filter-attachment
	went_on '100 patterns, brought by two recipients'
	simcontrol "example.net:regex=$(seq -s 'x:' 101)x"
	filter filter-attachment
	refused_with 55 '' 'too many patterns'
	simcontrol 'example.net:regex=x[yz]END'
	for before in 8150 8191 20000; do
		message long '' "$(head -c $before /dev/zero | tr '\0' -)xyENDxxx"
		filter filter-attachment
		refused_with 82 'DYour email was rejected because it matches a filter (#0)' \
			"a pattern behind $before bytes of a line"
	done
	message nul '' 'a@xzEND'
	tr @ '\000' <"$work/message" >"$work/nul" && mv "$work/nul" "$work/message"
	filter filter-attachment
	refused_with 82 'DYour email was rejected because it matches a filter (#0)' 'behind a NUL'
	message lines '' 'xz' 'END'
	filter filter-attachment
	went_on 'a line is not the next one'
	printf 'xyEND' >>"$work/message"
	filter filter-attachment
	refused_with 82 'DYour email was rejected because it matches a filter (#0)' 'a last line without an end'
	simcontrol 'example.net:regex=^-*END'
	message long '' "$(head -c 20000 /dev/zero | tr '\0' -)xEND"
	filter filter-attachment
	went_on 'a piece of a line does not begin it'
	simcontrol "example.net:regex=$(seq -s '.*nowhere:' 100)"
	message much
	lengthen 8000000
	filter filter-attachment -t 1
	refused_with 52 '' 'it takes longer than -t'
	logged 'ERROR:[0-9.]+s:it takes too long:.*' 'it takes longer than -t: log'
	filter filter-attachment -t 1 -o
	is "$code $(sed -n 1p "$work/next.message")" \
		'0 X-Filter-Skipped: filter-attachment (it takes too long)' '-o'
	rm "$work/control"/simcontrol*
fi
attached a.exe
echo none >"$work/control/simcontrol.cdb"
filter filter-attachment
refused_with 55 '' 'a table that is none'
rm "$work/control/simcontrol.cdb"

# --- first bytes
rm "$work/control/ssattach"
program=TVqQAAMAAAAEAAAA//8AALgAAAAA
# base64 part BASE64-LINE…
base64_part() {
	part 'Content-Type: image/png' 'Content-Transfer-Encoding: base64' '' "$@"
}
# begins NAME ARGUMENT…: with -e, it is refused
begins() {
	what=$1
	shift
	filter filter-attachment -e "$@"
	refused_with 82 "$mime" "$what"
}
base64_part $program
filter filter-attachment
went_on 'a program, without -e'
begins 'a program'
logged 'ATTACH:[0-9.]+s:TVqQAAMAA:.*' 'a program: log'
REJECTEXEC='' filter filter-attachment
refused_with 82 "$mime" 'REJECTEXEC'
base64_part '' T V q Q A A MAAA AEAAAA//8AALgAAAAA
begins 'a program in small pieces'
part 'Content-Transfer-Encoding: quoted-printable' '' 'M=' '=5a=90=00=03=00=00=00=04=00=00=00=ff=ff=00=00=b8'
begins 'a program in quoted-printable'
message 'whole' '' $program
begins 'base64 that does not say so'
message 'uuencoded' '' 'begin 644 x.png' 'M35J0``,````$````__\``+@`````````0```````````````````````````' '`' end
begins 'a uuencoded program'
part 'Content-Type: x/y' '' "$(perl -e 'print "MZ\x90\0\3\0\0\0\4\0"' | tr '\0' '@')"
tr @ '\000' <"$work/message" >"$work/binary" && mv "$work/binary" "$work/message"
begins 'a program as it is'
base64_part iVBORw0KGgoAAAANSUhEUg
filter filter-attachment -e
went_on 'a picture'
echo 'iVBORw**Gg' >"$work/control/signatures"
begins 'signatures of our own'
logged 'ATTACH:[0-9.]+s:iVBORw\*\*Gg:.*' 'signatures of our own: log'
base64_part $program
filter filter-attachment -e
went_on 'which are in place of the usual ones'
: >"$work/control/signatures"
filter filter-attachment -e
went_on 'none'
rm "$work/control/signatures"
mkdir "$work/control/signatures"
filter filter-attachment -e
refused_with 55 '' 'signatures that cannot be read'
filter filter-attachment
went_on 'which nobody wants to read'
rmdir "$work/control/signatures"

# --- options of all filters
echo .exe >"$work/control/ssattach"
attached a.exe
filter filter-attachment -m 100
is "$code $(sed -n 1p "$work/next.message")" '0 X-Filter-Skipped: filter-attachment (too long)' '-m'
FILTER_MAXSIZE=100 filter filter-attachment -m 100000
refused_with 82 "$bad a.exe" '-m comes before FILTER_MAXSIZE'
mkdir "$work/quarantine"
filter filter-attachment -q "$work/quarantine"
refused_with 82 "$bad a.exe" '-q'
sed '1,/^X-Envelope-To: R@example.net/d' "$work/quarantine"/* >"$work/got"
same_file "$work/got" "$work/message" '-q: a copy is kept'
RELAYCLIENT='' filter filter-attachment
refused_with 82 "$bad a.exe" 'our own users are no exception'
SIMSCAN_DEBUG=3 NOP0FCHECK=1 filter filter-attachment
like "$(cat "$work/log")" '^filter-attachment:\[[0-9]+\]: attachment a.exe$' 'SIMSCAN_DEBUG=3'
filter filter-attachment -z
is "$code" 100 'an unknown option'
filter filter-attachment -t 0
is "$code" 100 'no time at all'
attached "$(head -c 5000 /dev/zero | tr '\0' a).exe"
filter filter-attachment
like "$code $(cat "$work/text")" "^82 $bad a+.exe\$" 'a very long name'
is "$(wc -c <"$work/text" | awk '{ print $1 <= 255 }')" 1 'a very long name: the reply has room'
attached "\"$(printf 'a\033[31m\r.exe')\""
filter filter-attachment
unlike "$(cat -v "$work/log" "$work/text")" '\^|M-' 'no control code in log or reply'

# --- what goes wrong
attached a.txt
code=0
filter-attachment "$work/nowhere" <"$work/message" 1<"$work/envelope" 2>"$work/log" || code=$?
is "$code" 120 'no next program'
printf 'Fs@example.org\0Tr@example.net\0' >"$work/envelope"
filter filter-attachment
refused_with 54 '' 'an envelope that is cut off'
printf 'X\0\0' >"$work/envelope"
filter filter-attachment
refused_with 91 '' 'an envelope that is none'
envelope s@example.org r@example.net
attached a.exe
code=0
(exec filter-attachment "$work/next" <"$work/message" 1<"$work/envelope" 2>"$work/log" 4>&- 6>&-) || code=$?
is "$code" 31 'nobody to tell the reason'
code=0
(exec filter-attachment "$work/next" <"$work" 1<"$work/envelope" 2>"$work/log" 4>&- 6>&-) || code=$?
is "$code" 54 'a message that cannot be read'

# --- much of it, in little memory
attached a.txt
lengthen 30000000
printf '%s\n' '--=_b/1' 'Content-Disposition: x; filename=a.exe' '' x >>"$work/message"
if is_plain 'memory' && ! is_dynamic "$bin/filter-attachment"; then
	code=0
	(ulimit -v 4096 && exec filter-attachment -e "$work/next" <"$work/message" \
		1<"$work/envelope" 2>"$work/log" 6>"$work/text" 4>&-) || code=$?
	is "$code $(cat "$work/text")" "82 $bad a.exe" '30 MB in 4 MB'
fi
yes -- '--=_b/1' | head -c 2000000 >>"$work/message"
timed filter filter-attachment -e
is_at_most 20000 'it takes no long time'

# --- through the chain
attached a.exe
chain filter-attachment -e
is "$(smtp smtpd)" "554 ${bad#D} a.exe" 'smtpd: a bad name'
base64_part $program
is "$(smtp smtpd)" "554 ${mime#D}" 'smtpd: a program'
attached a.txt
like "$(smtp smtpd)" '^250 ok [0-9]+ qp [0-9]+$' 'smtpd: another'
like "$(cat "$work/log")" ":$(cat "$work/next.pid")\$" 'smtpd: its qp is that of the log'
if is_here mailfront 'mailfront'; then
	RELAYCLIENT='' && export RELAYCLIENT
	like "$(smtp mailfront smtp qmail accept)" '^250 ' 'mailfront: a message'
	attached a.exe
	like "$(smtp mailfront smtp qmail accept)" '^554 .*' 'mailfront: a bad name'
	unset RELAYCLIENT
fi
mkdir -p "$work/mail/new" "$work/mail/tmp" "$work/mail/cur"
printf '#!/bin/sh\nexec filter-attachment -e queue-maildir -d %s/mail\n' "$work" >"$work/chain"
echo .exe >"$work/control/ssattach"
if is_here swaks 'swaks to a Maildir'; then
	QMAILQUEUE=$work/chain
	export QMAILQUEUE
	start_tcpserver "$work/server.log" -- smtpd
	# swaks NAME: sends a file of that name
	send() {
		echo hello >"$work/$1"
		swaks --server "127.0.0.1:$port" --to r@example.net \
			--from s@example.org --attach "@$work/$1" 2>&1
	}
	like "$(send setup.exe)" "^<\\*\\* 554 ${bad#D} setup.exe" 'swaks: a bad name is refused'
	like "$(send setup.txt)" '^<-  250 ok [0-9]+ qp' 'swaks: another is not'
	is "$(find "$work/mail/new" -type f | wc -l)" 1 'it is in the Maildir'
	stop "$server"
fi

done_testing
