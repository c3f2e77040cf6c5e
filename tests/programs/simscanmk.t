#!/bin/sh
# simscanmk: what it makes of control/simcontrol, what it says of lines that are
# wrong, and how the table takes the place of the old one.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need cdb
cd "$work" || exit 1
mkdir control
CONTROLDIR=$work/control
export CONTROLDIR
text=$CONTROLDIR/simcontrol

# compile [OPTION]: standard input is the text; what is said in errors, the exit
# code in $code
compile() {
	cat >control/simcontrol
	simscanmk "$@" >errors 2>&1
	code=$?
}
# records: of the table, a line each
records() {
	cdb -d control/simcontrol.cdb | sed 's/^+[0-9,]*://; /^$/d'
}

compile <<'END'
# what everybody gets
:clam=yes,spam=yes,spam_hits=20.1

postmaster@example.com:clam=yes,spam=no
Example.COM:clam=yes,spam=no,attach=.txt:.com,spam_passthru=no
  list-owner@example.com : size_limit=250000,trophie=no
blank.example clam=no
empty.example:
queue.example:qmailqueue=/var/qmail/bin/other,spamuser=one@example.com
pattern.example:regex=^Subject.*(a|b):x
END
is "$code $(cat errors)" '0 ' 'compiled without a word'
records >got
cat >wanted <<'END'
->clam=yes,spam=yes,spam_hits=20.1
postmaster@example.com->clam=yes,spam=no
example.com->clam=yes,spam=no,attach=.txt:.com,spam_passthru=no
list-owner@example.com->size_limit=250000,trophie=no
blank.example->clam=no
empty.example->
queue.example->qmailqueue=/var/qmail/bin/other,spamuser=one@example.com
pattern.example->regex=^Subject.*(a|b):x
END
same_file got wanted 'keys in lower case, values as they are, in their order'
is "$(stat -c %a control/simcontrol.cdb)" 644 'all may read it'
is "$(ls -A control)" 'simcontrol
simcontrol.cdb' 'nothing is left beside it'
printf ':clam=yes\r\nexample.com:spam=no\r\nlast.example:spam=yes' | compile
is "$code $(records | tr '\n' ' ')" \
	'0 ->clam=yes example.com->spam=no last.example->spam=yes ' \
	'lines from elsewhere, and one without an end'
chmod 640 control/simcontrol.cdb
compile </dev/null
is "$code $(records)" '0 ' 'an empty text is an empty table'
is "$(stat -c %a control/simcontrol.cdb)" 640 'with the rights of the old one'
chmod 644 control/simcontrol.cdb

# What is wrong.
echo ':clam=yes' | compile
cp control/simcontrol.cdb first.cdb
compile <<'END'
:clam=yes
example.com
example.com:calm=yes
example.com:clam=jes,spam=no,spam_hits=many,size_limit=1k
example.com:clam=yes spam
example.com:regex=a(:fine:*[
# a comment
example.com:x=y
END
is "$code" 100 'wrong lines stop it'
cat >wanted <<END
simscanmk: fatal: $text: line 2: there is no colon behind example.com
simscanmk: fatal: $text: line 3: there is no parameter calm
simscanmk: fatal: $text: line 4: no value for it: clam=jes
simscanmk: fatal: $text: line 4: no value for it: spam_hits=many
simscanmk: fatal: $text: line 4: no value for it: size_limit=1k
simscanmk: fatal: $text: line 5: no value for it: spam
simscanmk: fatal: $text: line 6: this is no pattern: a(
simscanmk: fatal: $text: line 6: this is no pattern: *[
simscanmk: fatal: $text: line 8: there is no parameter x
END
same_file errors wanted 'each is said, with its number'
same_file control/simcontrol.cdb first.cdb 'the old table stays'
is "$(ls -A control)" 'simcontrol
simcontrol.cdb' 'nothing is left beside it'
printf 'example.com:\033[2J\303\251=x\n' | compile
is "$code $(cat errors)" \
	"100 simscanmk: fatal: $text: line 1: there is no parameter ?[2J??" \
	'what is shown is printable'
printf 'a\0b:clam=yes\n' | compile
is "$code $(cat errors)" "100 simscanmk: fatal: $text: line 1: it has a NUL" 'a NUL'
awk 'BEGIN { printf "x:"; for (i = 0; i < 8000; i++) printf "clam=yes,"; print "" }' |
	compile
is "$code $(cat errors)" "100 simscanmk: fatal: $text: line 1: it is too long" \
	'a line that no filter would read'
yes 'x:y=z' | head -n 150 | compile
is "$code $(wc -l <errors) $(tail -n 1 errors)" \
	'100 101 simscanmk: fatal: 50 more mistakes' 'many mistakes'
same_file control/simcontrol.cdb first.cdb 'the old table has stayed'

# What is worth a warning.
compile <<'END'
example.com:clam=yes
EXAMPLE.com:clam=no
@example.com:spam=no
END
is "$code $(cat errors)" "0 simscanmk: warning: $text: line 3 is never looked up: a domain has no @
simscanmk: warning: $text: line 2 repeats the key of line 1, which counts" \
	'lines without an effect'
is "$(cdb -q -n 1 control/simcontrol.cdb example.com)" 'clam=yes' 'both are there'

# -g, wrong use, and what cannot be done.
rm control/simcontrol.cdb
echo ':x=y' | compile -g
is "$code $(cat errors)$(ls control)" '0 simcontrol' '-g has nothing to do'
compile -x </dev/null
like "$code $(tail -n 1 errors)" '^100 .*usage: simscanmk \[ -g \]$' 'a wrong option'
compile file </dev/null
like "$code $(cat errors)" '^100 .*usage: ' 'an argument'
rm control/simcontrol
simscanmk >errors 2>&1
is "$? $(cat errors)" "111 simscanmk: fatal: unable to read $text: file does not exist" \
	'no text'
echo ':clam=yes' >control/simcontrol
if is_user 'a folder that cannot be written to'; then
	chmod 555 control
	simscanmk >errors 2>&1
	is "$? $(cat errors)" "111 simscanmk: fatal: unable to write $text.cdb: access denied" \
		'a folder that cannot be written to'
	chmod 755 control
fi
if is_plain 'faults of the disk' && can_trace 'faults of the disk'; then
	cp first.cdb control/simcontrol.cdb
	for call in write pwrite64 fsync fchmod rename; do
		echo ":clam=no" >control/simcontrol
		strace -f -o trace -e "inject=$call:error=ENOSPC:when=1" \
			simscanmk >errors 2>&1
		is "$? $(cat errors) $(find control -name '.*')" \
			"111 simscanmk: fatal: unable to write $text.cdb: out of disk space " \
			"$call fails: nothing is left beside"
		same_file control/simcontrol.cdb first.cdb \
			"$call fails: the old table stays"
	done
	strace -f -o trace -e trace=fsync,rename,fchmod,open,openat simscanmk
	is "$(grep -A 9 O_EXCL trace | sed -n 's/^[0-9]* *\([a-z]*\)(.*= [0-9]*$/\1/p' |
		sed 's/openat/open/' | tr '\n' ' ')" \
		'open fchmod fsync rename open fsync ' \
		'flushed before the name changes, and then the folder'
fi

done_testing
