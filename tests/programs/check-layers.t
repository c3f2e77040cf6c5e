#!/bin/sh
# check-layers: our own tree passes, and each kind of trespass is named.
. "$(dirname "$0")/../lib.sh"

output=$(sh "$top/scripts/check-layers" 2>&1)
is "$?: $output" "0: " "our own tree keeps to its layers"

tree=$work/tree
mkdir -p "$tree/scripts" "$tree/lib/base" "$tree/lib/system" "$tree/lib/mail" \
	"$tree/programs/smtp/smtpd" "$tree/programs/tls/tlsd" "$tree/tests/unit"
cp "$top/scripts/check-layers" "$tree/scripts/"
for header in base/str system/net mail/address; do
	: >"$tree/lib/$header.h"
	echo "#include \"$header.h\"" >"$tree/lib/$header.c"
done
: >"$tree/programs/smtp/smtpd/replies.h"
cat >"$tree/programs/smtp/smtpd/smtpd.c" <<-END
	#include <stdio.h>
	#include "base/str.h"
	#include "mail/address.h"
	#include "replies.h"
END
echo '#include <openssl/ssl.h>' >"$tree/programs/tls/tlsd/main.c"
output=$(sh "$tree/scripts/check-layers" 2>&1)
is "$?: $output" "0: " "a small tree that keeps to them passes"

# trespass FILE INCLUDE REASON: line 2 of the file is the one to be named.
trespass() {
	own=${1#lib/}
	file=$tree/$1
	[ ! -f "$file" ] || cp "$file" "$work/saved"
	case $1 in
	lib/*.c) echo "#include \"${own%.c}.h\"" ;;
	*) echo ;;
	esac >"$work/planted"
	echo "#include $2" >>"$work/planted"
	cp "$work/planted" "$file"
	output=$(sh "$tree/scripts/check-layers" 2>&1)
	code=$?
	is "$code: ${output%% [\"<a-z]*}" "1: $1:2:" "$1: $2"
	like "$output" "$3" "$1: $2: says why"
	if [ -f "$work/saved" ]; then mv "$work/saved" "$file"; else rm "$file"; fi
}

trespass lib/base/str.c '"system/net.h"' "higher layer"
trespass lib/system/net.c '"mail/address.h"' "higher layer"
trespass lib/mail/address.c '"../../programs/smtp/smtpd/replies.h"' "another program"
trespass lib/mail/address.c '"net.h"' "does not name its layer"
trespass lib/system/net.c '<openssl/ssl.h>' "no business"
trespass lib/mail/address.c '<ares.h>' "no business"
trespass programs/smtp/smtpd/verbs.c '<crypt.h>' "no business"
trespass programs/smtp/smtpd/verbs.c '<openssl/evp.h>' "no business"
trespass programs/smtp/smtpd/verbs.c '"queue/queue.h"' "another program"
trespass programs/smtp/smtpd/verbs.c '"address.h"' "there is no"
trespass programs/smtp/smtpd/verbs.c '"mail/no_such.h"' "there is no"
trespass programs/smtp/spfcheck.c '"replies.h"' "header of its own"
trespass tests/unit/str.c '"../../lib/base/str.h"' "of no layer"
trespass programs/smtp/spfcheck.c 'HEADER' "no plain name"

printf '#include <stdio.h>\n#include "base/str.h"\n' >"$tree/lib/base/str.c"
output=$(sh "$tree/scripts/check-layers" 2>&1)
is "$?: $output" '1: lib/base/str.c:1: "base/str.h" comes first' \
	"a file of lib includes its own header first"

done_testing
