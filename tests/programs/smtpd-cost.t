#!/bin/sh
# What a session costs: smtpd is started for every client, so what is off must
# take no system call, and no session may ask for memory that it can do without.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

name='what a session costs'
if ! is_plain "$name" || ! can_trace "$name"; then done_testing; fi
if is_dynamic "$bin/smtpd"; then
	skip "the system's libc has calls of its own" "$name"
	done_testing
fi

mkdir "$work/control"
echo test.example >"$work/control/me"
echo test.example >"$work/control/rcpthosts"
cat >"$work/queue" <<'END'
#!/bin/sh
cat >/dev/null && cat <&1 >/dev/null
END
chmod 755 "$work/queue"
export CONTROLDIR="$work/control" QMAILQUEUE="$work/queue"

# calls_of MESSAGES: $calls is how many of the client's messages take, in a
# session without a waiting client: all is there from the beginning.
calls_of() {
	{
		echo 'EHLO client.example'
		for message in $(seq "$1"); do
			printf '%s\n' 'MAIL FROM:<a@client.example>' \
				'RCPT TO:<b@test.example>' DATA 'Subject: x' \
				'' "text $message" .
		done
		echo QUIT
	} | sed 's/$/\r/' >"$work/input"
	strace -o "$work/trace" smtpd <"$work/input" >"$work/output" 2>&1
	calls=$(grep -c '^[a-z]' "$work/trace")
}
is_few() {
	if [ "$1" -le "$2" ]; then ok "$3"
	else not_ok "$3" "$1: $(cat "$work/trace")"; fi
}

calls_of 0
is_few "$calls" 38 'an idle session takes few system calls'
is "$(sed -n 's|.*control/\([^"]*\)", F_OK.*|\1|p' "$work/trace" | sort |
	tr '\n' ' ')" "databytes localiphost maxrcpt me mfcheck \
morercpthosts.cdb rcpthosts servercert.pem smtpgreeting spfbehavior \
timeoutsmtpd " 'it looks for no control file of what is off'
unlike "$(cat "$work/trace")" '^(brk|mmap|mprotect|pipe|v?fork|clone|socket)' \
	'nor for memory, processes or connections'

calls_of 1
one=$calls
is "$(grep -c '^250 ok [0-9]' "$work/output")" 1 'a message is queued'
is_few "$calls" 68 'it takes few system calls'
unlike "$(cat "$work/trace")" '^(brk|mmap|mprotect|clone|socket)' \
	'and no memory'

calls_of 41
is "$(grep -c '^250 ok [0-9]' "$work/output")" 41 'many messages are queued'
is_few $(((calls - one) / 40)) 20 'each one more takes few system calls'
unlike "$(cat "$work/trace")" '^(brk|mmap|mprotect|clone|socket)' \
	'and no memory'

done_testing
