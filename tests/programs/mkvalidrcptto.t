#!/bin/sh
# mkvalidrcptto: every address that qmail would deliver to, and no other; what
# cannot be read leaves the old table in its place.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/tables.sh
. "$tests/tables.sh"
need cdb perl
cd "$work" || exit 1

# collect ARGUMENT…: what mkvalidrcptto prints; its messages in errors, its exit
# code in $code
collect() {
	mkvalidrcptto -p "$tree/passwd" "$@" >out 2>errors
	code=$?
	cat out
}
# addresses_are LIST NAME: in one line
addresses_are() {
	is "$code $(tr '\n' ' ' <out)$(cat errors)" "0 $1 " "$2"
}
# fresh: a host with nobody on it
fresh() {
	rm -rf "$tree"
	mkdir -p "$tree/control" "$tree/users" "$tree/alias" "$tree/homes"
	echo mail.example.com >"$tree/control/me"
	: >"$tree/passwd"
}

# Accounts, their extensions, aliases.
plant_user joe x
plant_user joe-x x
plant_user root x 0
plant_user Upper x
mkdir "$tree/homes/other"
echo "other:x:23456:1::$tree/homes/other:/bin/sh" >>"$tree/passwd"
echo "homeless:x:$uid:1::$tree/homes/none:/bin/sh" >>"$tree/passwd"
echo "abcdefghijklmnopqrstuvwxyzabcdefg:x:$uid:1::$tree/homes/joe:/bin/sh" >>"$tree/passwd"
for file in -list -list-default -first:last -x-y -Upper -dot.ted '' extra \
	-mail-default-x -8bit:é; do
	: >"$tree/homes/joe/.qmail$file"
done
mkdir "$tree/homes/joe/.qmail-folder"
ln -s .qmail-list "$tree/homes/joe/.qmail-link"
ln -s none "$tree/homes/joe/.qmail-dangling"
for file in -postmaster -joe -joe-alias -team-default -a@b '-a b'; do
	: >"$tree/alias/.qmail$file"
done
collect >/dev/null
addresses_are 'a@b@mail.example.com joe-8bit.é@mail.example.com joe-first.last@mail.example.com joe-link@mail.example.com joe-list-default@mail.example.com joe-list@mail.example.com joe-mail-default-x@mail.example.com joe-x@mail.example.com joe@mail.example.com postmaster@mail.example.com team-default@mail.example.com' \
	'accounts that own their homes, their dot-qmail files, and aliases that no account hides'
printf '# ours\nExample.ORG \n\nexample.net\n' >"$tree/control/locals"
collect >/dev/null
is "$(grep -c . out) $(grep -c 'example\.org$' out) $(grep -c 'mail\.example' out)" '22 11 0' \
	'for every domain of control/locals, in lower case, and for me no more'
: >"$tree/control/locals"
collect >/dev/null
is "$code $(cat out)" '0 ' 'an empty control/locals has none'
rm "$tree/control/locals"
echo '&somebody@example.com' >"$tree/alias/.qmail-default"
collect >/dev/null
like "$(cat out)" '^@mail.example.com$' 'an alias for everything else is for the whole domain'
# rest_is NAMES INSTRUCTIONS: what .qmail-default is for, all or none
rest_is() {
	printf %s "$2" >"$tree/alias/.qmail-default"
	collect >/dev/null
	is "$(grep -c '^@' out)" "$1" "$1 for $(printf %s "$2" | tr '\n' ' ')"
}
rest_is 0 "|bouncesaying 'no such user'"
rest_is 0 '| /var/qmail/bin/bouncesaying nobody '
rest_is 0 '# a comment
|bouncesaying "no"'
rest_is 1 "|bouncesaying 'no' test -f x"
rest_is 1 '|grep x'
rest_is 1 '# nothing'
rest_is 1 ./Maildir/
rest_is 1 '|grep x
|bouncesaying no'
rest_is 1 ''
rm "$tree/alias/.qmail-default"
: >"$tree/homes/joe/.qmail-default"
collect >/dev/null
like "$(cat out)" '^joe-default@mail.example.com$' "an account's, for all its extensions"
unlike "$(cat out)" '^@' 'and for no more than those'

# Where the aliases are.
echo "alias:x:701:700::$tree/other-alias:/bin/true" >>"$tree/passwd"
mkdir "$tree/other-alias"
: >"$tree/other-alias/.qmail-moved"
collect >/dev/null
is "$(grep -c '^moved@' out) $(grep -c '^postmaster@' out)" '1 0' "aliases are in the home of the account alias"

# What an account may do in its home keeps nobody else's addresses out.
fresh
plant_user joe x
plant_user ann x
head -c 2000000 /dev/zero >"$tree/homes/joe/.qmail-default"
echo "| vdelivermail '' bounce-no-mailbox" >"$tree/homes/joe/.qmail-lists-default"
ln -s /dev/zero "$tree/homes/joe/.qmail-zero"
ln -s /dev/zero "$tree/homes/joe/.qmail-zero-default"
ln -s .qmail-loop "$tree/homes/joe/.qmail-loop"
mkfifo "$tree/homes/joe/.qmail-fifo" "$tree/homes/joe/.qmail-fifo-default"
mkdir "$tree/homes/joe/vpasswd"
collect -c home.cdb >/dev/null
is "$code $(cat errors)" '0 ' 'a home of strange things does no harm'
collect >/dev/null
addresses_are 'ann@mail.example.com joe-default@mail.example.com joe-lists-default@mail.example.com joe@mail.example.com' \
	'long files, and mailboxes that it says it has'
if is_user 'a home without rights'; then
	chmod 0 "$tree/homes/joe"
	collect >/dev/null
	chmod 755 "$tree/homes/joe"
	is "$code $(tr '\n' ' ' <out)$(cat errors)" '0 ann@mail.example.com joe-default@mail.example.com joe@mail.example.com mkvalidrcptto: warning: all names of joe are taken, since its home cannot be read: access denied' \
		'a home without rights'
fi
echo "+joe-:joe:$uid:$gid:$tree/none:-::" >"$tree/users/assign"
collect >/dev/null
is "$code $(grep -c joe-default out) $(cat errors)" '0 1 mkvalidrcptto: warning: all names of joe are taken, since its home cannot be read: file does not exist' \
	'a home that has gone, and is still assigned'

# users/assign comes before.
fresh
plant_user joe x
mkdir "$tree/homes/lists" "$tree/homes/sub"
: >"$tree/homes/joe/.qmail-own"
for file in -one -two-default -sub-three -sub-default .four; do
	: >"$tree/homes/lists/.qmail$file"
done
: >"$tree/alias/.qmail-lists-alias"
cat >"$tree/users/assign" <<END
=Boss:joe:$uid:$gid:$tree/homes/joe:::
=boss:other:$uid:$gid:$tree/homes/none:-:x:
=file:joe:$uid:$gid:$tree/homes/lists:-:one:
=chain:joe:$uid:$gid:$tree/homes/lists:-:two-a.b-c:
=nofile:joe:$uid:$gid:$tree/homes/joe:-:x:
+lists-:joe:$uid:$gid:$tree/homes/lists:-::
+s-:joe:$uid:$gid:$tree/homes/lists:-:sub-:
+deep-:joe:$uid:$gid:$tree/homes/lists:-:two-x-:
+all-:joe:$uid:$gid:$tree/homes/joe:::
+lists-hidden-:joe:$uid:$gid:$tree/homes/joe:-::
+half:joe:$uid:$gid:$tree/homes/joe:::
=short:joe
=noid:joe:x:$gid:$tree/homes/joe:::
?what:joe:$uid:$gid:$tree/homes/joe:::
.
=late:joe:$uid:$gid:$tree/homes/joe:::
END
: >"$tree/homes/lists/.qmail-hidden-x"
collect >/dev/null
is "$code $(sed s/@mail.example.com// out | tr '\n' ' ')" \
	'0 all-default boss chain deep-default file joe-own joe lists-hidden-own lists-one lists-sub-default lists-sub-three lists-two-default s-default s-three ' \
	'assignments, whole ones and beginnings, the first and the longest one first'
is "$(cat errors)" 'mkvalidrcptto: warning: names that begin with half are not in the list, since there is no dash at its end' \
	'what smtpd could not look up is worth a warning'
cat >"$tree/users/assign" <<END
+:joe:$uid:$gid:$tree/homes/lists:-::
.
END
collect >/dev/null
is "$code $(sed s/@mail.example.com// out | tr '\n' ' ')" '0 hidden-x one sub-default sub-three two-default ' \
	'a beginning of nothing takes the place of accounts and aliases'

# Virtual domains.
fresh
plant_user joe x
: >"$tree/homes/joe/.qmail-sales"
: >"$tree/homes/joe/.qmail-shop-info"
: >"$tree/homes/joe/.qmail-shop-x-default"
: >"$tree/alias/.qmail-web-master"
: >"$tree/alias/.qmail-wide-default"
: >"$tree/alias/.qmail-wide-own"
cat >"$tree/control/virtualdomains" <<'END'
joe.example:joe
Shop.Example:Joe-Shop
web.example:web
wide.example:wide-more
one@other.example:joe-sales
two@other.example:joe
sales@other.example:joe
out@other.example:
mail.example.com:joe
out.example:
no-colon
.sub.example:joe
END
cat >"$tree/control/rcpthosts" <<'END'
mail.example.com
joe.example
relayed.example
out.example
a.sub.example
a.b.sub.example
sub.example
END
collect >/dev/null
is "$code $(tr '\n' ' ' <out)$(cat errors)" '0 @out.example @relayed.example @sub.example @wide.example info@shop.example joe-sales@mail.example.com joe-shop-info@mail.example.com joe-shop-x-default@mail.example.com joe@mail.example.com master@web.example out@other.example sales@a.b.sub.example sales@a.sub.example sales@joe.example sales@other.example shop-info@a.b.sub.example shop-info@a.sub.example shop-info@joe.example shop-x-default@a.b.sub.example shop-x-default@a.sub.example shop-x-default@joe.example web-master@mail.example.com wide-default@mail.example.com wide-own@mail.example.com x-default@shop.example ' \
	'virtual domains, their wildcards, and domains whose mail goes elsewhere'

# What the administrator adds.
cat >"$tree/control/validrcptto" <<'END'
# by hand
Extra@Example.com
Sales@joe.example -no longer
@all.example
one@relayed.example
x@c.wild.example
END
echo .wild.example >>"$tree/control/rcpthosts"
echo .lost.example >>"$tree/control/rcpthosts"
collect >/dev/null
like "$(cat out)" '^extra@example.com$' 'control/validrcptto is added'
is "$(grep joe.example out)" 'sales@joe.example -no longer
shop-info@joe.example
shop-x-default@joe.example' 'before what is found, with its data: a dash refuses'
is "$(grep relayed out)" one@relayed.example 'a domain of which there are some is not taken whole'
is "$code $(cat errors)" '0 mkvalidrcptto: warning: hosts that end in .lost.example are not in the list, since nobody can say which there are' \
	'a wildcard of rcpthosts that it says nothing about is worth a warning'
perl -e 'printf "+%d,0:%s->\n", length, $_ for qw(more.example mail.example.com); print "\n"' |
	cdb -c "$tree/control/morercpthosts.cdb"
collect >/dev/null
is "$(grep -c '^@more.example$' out) $(grep -c '^@mail' out)" '1 0' 'morercpthosts.cdb is rcpthosts'
head -c 3000 /dev/urandom >"$tree/control/morercpthosts.cdb"
collect -c table.cdb >/dev/null
is "$code $(ls table.cdb 2>&1)" "111 ls: cannot access 'table.cdb': No such file or directory" \
	'but not when it is none'
rm "$tree/control/morercpthosts.cdb"

# vpopmail.
fresh
plant_domain example.com alias.example <<END
Kamran:x:1:0:Kamran:$tree/x:NOQUOTA
postmaster:x:1:2048:Postmaster:$tree/x:NOQUOTA:clear
bounce:x:1:16:Bounces:$tree/x:NOQUOTA
END
finish_assign
folder=$tree/vpopmail/domains/example.com
: >"$folder/.qmail-list"
: >"$folder/.qmail-list-default"
collect >/dev/null
is "$code $(tr '\n' ' ' <out)$(cat errors)" '0 kamran@alias.example kamran@example.com list-default@alias.example list-default@example.com list@alias.example list@example.com postmaster@alias.example postmaster@example.com ' \
	'mailboxes, aliases and lists; what bounces is left out'
echo "| $tree/vpopmail/bin/vdelivermail '' delete" >"$folder/.qmail-default"
collect >/dev/null
unlike "$(cat out)" '^@' 'nobody has what is deleted'
for last in "$folder/postmaster" catchall@example.net; do
	printf '| spamc |preline\n| %s %s %s \n' "$tree/vpopmail/bin/vdelivermail" "''" "$last" >"$folder/.qmail-default"
	collect >/dev/null
	is "$(grep -c ^@ out) $(grep -c ^kamran out)" '2 2' "but all is taken for $last"
done
echo "| $tree/vpopmail/bin/vdelivermail '' bounce-no-mailbox" >"$folder/.qmail-default"
mkvalidrcptto -p "$tree/passwd" >before
mv "$folder/vpasswd" vpasswd.kept
collect >/dev/null
is "$code $(grep -c ^@ out) $(sort -u errors)" "0 2 mkvalidrcptto: warning: no vpasswd and no vuserinfo for $folder: all its names are taken" \
	'mailboxes that nobody can tell: the whole domain'
mkdir -p "$tree/vpopmail/bin"
cat >"$tree/vpopmail/bin/vuserinfo" <<END
#!/bin/sh
[ "\$*" = '-npg -D example.com' ] && printf '%s\n' Kamran x 0 postmaster x 2048 bounce x 16
END
cat >"$tree/vpopmail/bin/valias" <<END
#!/bin/sh
[ ! -f "$tree/broken" ] || exit 1
[ "\$*" = '-s example.com' ] && printf '%s\n' 'Nick@example.com -> &kamran@example.com' 'no -> a@b -> c' '@example.com -> x'
END
chmod 755 "$tree"/vpopmail/bin/* "$work" "$tree"
chmod -R a+rX "$tree/vpopmail"
collect >/dev/null
grep -v ^nick out >without
same_file without before 'vuserinfo says the same'
is "$(grep ^nick out | tr '\n' ' ')" 'nick@alias.example nick@example.com ' 'and valias which aliases are in the database'
: >"$tree/broken"
collect -c table.cdb >/dev/null
is "$code $(tail -n 1 errors) $(ls table.cdb 2>&1)" "111 mkvalidrcptto: fatal: what could not be read may have had addresses ls: cannot access 'table.cdb': No such file or directory" \
	'valias fails: no table'
rm -r "$tree/broken" "$tree/vpopmail/bin"
mv vpasswd.kept "$folder/vpasswd"

# The table.
umask 000
collect -c table.cdb >/dev/null
is "$code $(cat out errors) $(stat -c %a table.cdb)" '0  644' '-c makes a table'
collect -g "$(id -g)" -c group.cdb >/dev/null
is "$code $(stat -c %g:%a group.cdb)" "0 $(id -g):640" 'which -g is for a group alone'
echo "qmaild:x:702:$(id -g)::/:/bin/true" >>"$tree/passwd"
rm table.cdb
collect -c table.cdb >/dev/null
is "$code $(stat -c %g:%a table.cdb)" "0 $(id -g):640" 'or for that of qmaild'
collect >/dev/null
cdb -l table.cdb | sed -n 's/^+[^:]*://p' >listed
same_file listed out 'with the addresses as its keys, in the same order'
cdb -q table.cdb kamran@example.com >found
is "$? $(cat found)" '0 ' 'and nothing as their data'
readers_agree table.cdb validrcptto.cdb
cp table.cdb first.cdb
collect -n -c table.cdb >/dev/null
same_file table.cdb first.cdb 'the same bytes the next time'
chmod 644 table.cdb
collect -c table.cdb >/dev/null
is "$(stat -c %a table.cdb)" 644 'what all could read they can'
umask 022

# What cannot be read leaves the old table.
keeps() {
	collect -c table.cdb >/dev/null
	is "$code $(cat errors)" "111 mkvalidrcptto: warning: unable to read $1
mkvalidrcptto: fatal: what could not be read may have had addresses" "unreadable: $2"
	same_file table.cdb first.cdb "the old table stays: $2"
}
mv "$folder" away
echo "=gone:x:$uid:$gid:$tree/none:-:x:" >"$tree/users/assign"
echo "+example.com-:example.com:$uid:$gid:$folder:-::" >>"$tree/users/assign"
keeps "$folder: file does not exist" 'a folder of users/assign that is gone'
mv away "$folder"
for name in locals virtualdomains rcpthosts validrcptto; do
	mv "$tree/control/$name" kept 2>/dev/null
	mkdir "$tree/control/$name"
	keeps "$tree/control/$name: is a directory" "control/$name"
	rmdir "$tree/control/$name"
	mv kept "$tree/control/$name" 2>/dev/null
done
rm "$folder/.qmail-default"
ln -s none "$folder/.qmail-x-default"
collect >/dev/null
is "$code" 0 'a link to nothing is no file'
rm "$folder/.qmail-x-default"
if is_user 'a folder without rights'; then
	chmod 0 "$folder"
	keeps "$folder: access denied" 'a folder without rights'
	chmod 755 "$folder"
fi
mkvalidrcptto -p none -c table.cdb 2>errors
is "$? $(head -n 1 errors)" '111 mkvalidrcptto: warning: unable to read none: file does not exist' 'no passwd'
collect -c none/table.cdb >/dev/null
is "$code $(cat errors)" '111 mkvalidrcptto: fatal: unable to write none/table.cdb: file does not exist' 'no folder for the table'
collect -c table.cdb -g no-such-group >/dev/null
is "$code $(cat errors)" '100 mkvalidrcptto: fatal: there is no group no-such-group' 'no group'
mkvalidrcptto -x 2>errors
is "$? $(tail -n 1 errors)" '100 mkvalidrcptto: usage: mkvalidrcptto [ -n ] [ -c validrcptto.cdb ] [ -g group ] [ -q home ] [ -p passwd ]' 'wrong use'

# Other ways to say where the home is.
echo elsewhere.example >"$work/me"
mkdir "$work/controls"
mv "$work/me" "$work/controls/me"
plant_user joe x
is "$(env -u VQ mkvalidrcptto -q "$tree" -p "$tree/passwd" | grep joe)" joe@mail.example.com '-q is the home'
is "$(CONTROLDIR=$work/controls mkvalidrcptto -p "$tree/passwd" | grep joe)" joe@elsewhere.example 'CONTROLDIR the control folder'

# Many. It takes a second here; a minute is for slower machines.
fresh
perl -e 'for (1 .. 200000) { $n = ($_ * 7919) % 200000; print "user$n:x:1:0:U:/x:NOQUOTA\n" }' |
	plant_domain example.com
finish_assign
folder=$tree/vpopmail/domains/example.com
echo "| vdelivermail '' bounce-no-mailbox" >"$folder/.qmail-default"
timeout 60 mkvalidrcptto -p "$tree/passwd" -c many.cdb 2>errors
is "$? $(cat errors) $(cdb -l many.cdb | grep -c @)" '0  200000' 'many mailboxes, and not a word'
cdb -q many.cdb user31415@example.com
is "$?" 0 'each is found'
if command -v script >/dev/null; then
	script -qec "mkvalidrcptto -p $tree/passwd -c many.cdb" /dev/null </dev/null >terminal 2>&1
	like "$(tr '\r' '\n' <terminal)" '^[0-9]+ names' 'on a terminal it says how far it is'
	script -qec "mkvalidrcptto -n -p $tree/passwd -c many.cdb" /dev/null </dev/null >terminal 2>&1
	is "$(cat terminal)" '' 'unless -n is given'
else
	skip 'script is not here' 'on a terminal it says how far it is'
fi
done_testing
