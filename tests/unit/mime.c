/* What is attached to a message: the names and the beginnings of its parts, in
   every cut.
   SPDX-License-Identifier: ISC */
#include "mail/mime.h"

#include <string.h>

#include "base/base64.h"
#include "base/str.h"
#include "tap.h"

#define TYPE "Content-Type: "
#define MIXED TYPE "multipart/mixed; boundary="
#define PLACE "Content-Disposition: attachment; "
#define CODED "Content-Transfer-Encoding: "
#define FILE_A TYPE "image/x\n" PLACE "filename=a.exe\n\nMZ\n"

static struct mime_walk walk;
static struct str names, starts, all;

/* Each name once, as "a|b". */
static void add_name(void *context, const char *name, size_t length)
{
	struct str *into = context;

	str_append_text(&all, "N");
	str_append(&all, name, length);
	str_append_byte(&all, '\0');
	str_reserve(into, length + 2);
	into->data[into->length] = '\0';
	for (const char *at = into->data; *at; at += strcspn(at, "|")) {
		if (*at == '|') at++;
		if (strcspn(at, "|") == length && memcmp(at, name, length) == 0)
			return;
	}
	if (into->length > 0) str_append_byte(into, '|');
	str_append(into, name, length);
}

static void add_start(void *context, const char *bytes, size_t length)
{
	(void)context;
	str_append_byte(&starts, '[');
	str_append(&starts, bytes, length);
	str_append_byte(&starts, ']');
	str_append_text(&all, "S");
	str_append(&all, bytes, length);
	str_append_byte(&all, '\0');
}

static const struct mime_observer observer = { add_name, add_start, &names };

static void walk_pieces(const char *message, size_t length, size_t cut,
			size_t piece)
{
	str_clear(&names);
	str_clear(&starts);
	str_clear(&all);
	mime_start(&walk, &observer);
	mime_read(&walk, message, cut);
	for (size_t at = cut; at < length; at += piece)
		mime_read(&walk, message + at,
			  length - at < piece ? length - at : piece);
	mime_end(&walk);
	str_append_text(&names, "");
	str_append_text(&starts, "");
}

/* Whether all is found that is found in one piece, however it is cut. */
static bool is_the_same_in_pieces(const char *message, size_t length)
{
	struct str whole = { 0 };
	bool is_same = true;

	walk_pieces(message, length, length, 1);
	str_append(&whole, all.data, all.length);
	for (size_t cut = 0; cut <= length; cut++) {
		walk_pieces(message, length, cut, cut % 3 ? length : 1);
		if (whole.length != all.length ||
		    (all.length > 0 &&
		     memcmp(whole.data, all.data, all.length) != 0))
			is_same = false;
	}
	str_free(&whole);
	walk_pieces(message, length, length, 1);
	return is_same;
}

static const char *names_of(const char *message)
{
	walk_pieces(message, strlen(message), strlen(message), 1);
	return names.data;
}

/* ---- names ---- */

static const struct {
	const char *value, *names, *what;
} parameters[] = {
	{ "filename=a.exe", "a.exe", "a name" },
	{ "filename=\"a.exe\"", "a.exe", "in quotes" },
	{ "filename=\"a b.exe\"", "a b.exe", "with a blank" },
	{ "filename=a b.exe", "a|a b.exe", "a blank without quotes" },
	{ "filename=a.exe b", "a.exe|a.exe b", "which may be its end" },
	{ "filename=\"a.txt\" b.exe", "a.txt|a.txt b.exe", "behind quotes" },
	{ "filename=\"a\".\"exe\"", "a|a.exe", "quotes within" },
	{ "filename=\"a\\.e\\xe\"", "a.exe|a\\.e\\xe", "backslashes" },
	{ "filename=\"a\\\"b.exe\"", "a|a\"b.exe|a\\b.exe", "a quote, quoted" },
	{ "FileName = a.exe ;x=y", "a.exe", "any case, and blanks" },
	{ "filename=\n a.exe", "a.exe", "a fold" },
	{ "filename=\"a.\n\texe\"", "a.exe", "a fold within" },
	{ "filename=(c)a.e(b)xe", "a.exe|(c)a.e(b)xe", "comments" },
	{ "(;filename=b;)filename=a.exe", "b|a.exe", "a ';' in a comment" },
	{ "x=\"; filename=b\"; filename=a.exe", "b|a.exe", "or in quotes" },
	{ "x=\"; filename=a.exe", "a.exe", "quotes without an end" },
	{ "filename=\"a.exe; x=y", "a.exe|a.exe; x=y", "of the name" },
	{ "x=(; filename=a.exe", "a.exe", "a comment without an end" },
	{ "filename=a.exe; filename=b.txt", "a.exe|b.txt", "two of them" },
	{ "name=a.exe", "a.exe", "name" },
	{ ";;filename=a.exe;;", "a.exe", "empty parameters" },
	{ "xfilename=a.exe; filenamex=a.exe", "", "other parameters" },
	{ "filename=", "", "no name" },
	{ "filename=\"a.exe. . \"", "a.exe", "dots and blanks at the end" },
	{ "filename='a.exe'", "a.exe", "quotes of another kind" },
	{ "filename=\"a.exe::$DATA\"", "a.exe", "a stream of Windows" },
	{ "filename=\"C:\\\\x\\\\a.exe\"", "C:\\x\\a.exe|C:\\\\x\\\\a.exe",
	  "a path" },
	{ "filename*=utf-8''a%2Eexe", "a.exe", "RFC 2231" },
	{ "filename*=utf-8'en'%61.exe", "a.exe", "with a language" },
	{ "filename*=a%2eexe", "a.exe", "without a charset" },
	{ "filename*=utf-8''a%2", "a%2", "cut off" },
	{ "filename*=utf-8''a.exe%00.txt", "a.exe|a.exe.txt", "a NUL" },
	{ "filename*=''a%zz%", "a%zz%", "no digits" },
	{ "filename*0=a.; filename*1=exe", "a.exe", "in two pieces" },
	{ "filename*1=exe; filename*0=a.", "a.exe", "in no order" },
	{ "filename*0*=utf-8''a%2E; filename*1=exe", "a.exe", "encoded" },
	{ "filename*0*=utf-8''a; filename*1*=%2eexe", "a.exe", "both" },
	{ "filename*0=\"foo.com\"; filename*1=\"pany.pdf\"", "foo.company.pdf",
	  "the end is what counts" },
	{ "filename*0=a.exe; filename*2=.txt", "a.exe|a.exe.txt", "a gap" },
	{ "filename*0=a.exe; filename*0=.txt", "a.exe|a.exe.txt", "twice" },
	{ "filename*0=a; filename*1=b; filename*2=c; filename*3=d; "
	  "filename*4=e; filename*5=f; filename*6=g; filename*7=h; "
	  "filename*8=i; filename*9=j; filename*10=k",
	  "abcdefghijk", "more than ten" },
	{ "name*0=a; filename*0=b", "b|a", "two kinds" },
	{ "filename==?utf-8?B?YS5leGU=?=", "a.exe", "a word in base64" },
	{ "filename=\"=?utf-8?Q?a=2Eexe?=\"", "a.exe", "or quoted-printable" },
	{ "filename=\"=?utf-8?q?a_b.exe?=\"", "a b.exe", "with a blank" },
	{ "filename=\"=?x?Q?a.?= =?x?Q?exe?=\"", "a.exe", "two words" },
	{ "filename=\"=?x?Q?a.?=\n =?x?Q?exe?=\"", "a.exe", "folded" },
	{ "filename=\"a.=?x?Q?exe?=\"", "a.exe", "a word behind text" },
	{ "filename=\"=?x?Q?a?=.exe\"", "a.exe", "text behind a word" },
	{ "filename=\"=?x?Q?a.exe\"", "a.exe", "without its end" },
	{ "filename=\"=?x?Z?a.exe?=\"", "=?x?Z?a.exe?=", "an unknown word" },
	{ "filename=\"=?x\"", "=?x", "no word at all" },
	{ "filename=\"=?utf-7?Q?a+AC4-exe?=\"", "a.exe", "UTF-7" },
	{ "filename=\"=?utf-16?B?AGEALgBlAHgAZQ==?=\"", "a.exe", "UTF-16" },
	{ "filename=\"=?iso-2022-jp?Q?a.exe=1B(B?=\"", "a.exe", "ISO 2022" },
	{ "filename=\"a.\xe2\x80\x8b"
	  "exe\xe2\x80\xae\"",
	  "a.exe", "what is not seen" },
	{ "filename=\"\xe2\x80\xaegpj.exe\"", "gpj.exe", "another direction" },
	{ "filename=\"a\xef\xbc\x8e\xef\xbd\x85\xef\xbd\x98\xef\xbd\x85\"",
	  "a.exe", "wide letters" },
	{ "filename=\"a\xc0\xae"
	  "exe\"",
	  "a.exe", "a dot that is too long" },
	{ "filename=\"\xc3\xbc.exe\"", "\xc3\xbc.exe", "UTF-8" },
	{ "filename=\"\xfc.exe\"", "\xfc.exe", "or not" },
	{ "filename=\"a.\x01"
	  "exe\x7f\"",
	  "a.exe", "control codes" },
	{ "filename=\"a.\r"
	  "exe\"",
	  "a. exe|a.exe", "a CR" },
};

/* In Content-Disposition, in Content-Type, of a message and of a part. */
static void test_parameters(void)
{
	static const char *const forms[][2] = {
		{ "Subject: x\n" PLACE, "\n\ntext\n" },
		{ TYPE "image/x;", "\nSubject: x\n\ntext\n" },
		{ TYPE "image/x; charset=\"x\";", "" },
		{ MIXED "b\n\n--b\n" TYPE "image/x;\n\t", "\n\nx\n--b--\n" },
	};

	for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
		struct str message = { 0 };
		bool is_as_wanted = true;

		for (size_t j = 0; j < 4; j++) {
			str_clear(&message);
			str_append_text(&message, forms[j][0]);
			str_append_text(&message, parameters[i].value);
			str_append_text(&message, forms[j][1]);
			if (is_the_same_in_pieces(message.data,
						  message.length) &&
			    strcmp(names.data, parameters[i].names) == 0)
				continue;
			is_as_wanted = false;
			tap_show("message:", message.data, message.length);
			tap_show("names:", names.data, names.length);
		}
		ok(is_as_wanted, parameters[i].what);
		str_free(&message);
	}
}

/* ---- parts ---- */

static const struct {
	const char *message, *names, *what;
} messages[] = {
	{ "Subject: x\n\ntext\n", "", "a text" },
	{ "", "", "nothing" },
	{ "\n" PLACE "filename=a.exe\n\n", "", "a field in a text" },
	{ "X-" PLACE "filename=a.exe\n\n", "", "another field" },
	{ "A: b\n " PLACE "filename=a.exe\n\n", "", "folded into another" },
	{ "Content-Disposition : x; filename=a.exe\n\n", "a.exe",
	  "a blank before the colon" },
	{ PLACE "filename=a.exe", "a.exe", "no line end" },
	{ "A: b\r\n" PLACE "filename=a.exe\r\n\r\n", "a.exe", "CR LF" },
	{ "A: b\r\r\n" PLACE "filename=a.exe\r\r\n\r\r\n", "a.exe",
	  "CR CR LF" },
	{ "A: b\r" PLACE "filename=a.exe\r\r", "a.exe", "CR" },
	{ TYPE "x/y\r; name=a.exe\n\n", "a.exe", "CR, and no line end" },

	{ MIXED "b\n\n--b\n" FILE_A "--b--\n", "a.exe", "a part" },
	{ MIXED "b\n\n--b\n\ntext\n--b\n" FILE_A "--b--\n", "a.exe",
	  "another part" },
	{ MIXED "b\n\n" PLACE "filename=b.exe\n\n--b\n" FILE_A, "a.exe",
	  "not before the first part" },
	{ MIXED "b\n\n--b\n\nx\n" PLACE "filename=a.exe\n\n", "",
	  "not in a part" },
	{ MIXED "b\n\n--b--\n" PLACE "filename=a.exe\n\n", "", "nor behind" },
	{ MIXED "b\n\n--b--\n\n--b\n" FILE_A, "a.exe",
	  "a part behind the end" },
	{ MIXED "b\n\n--b\n" FILE_A "--b\n" PLACE "filename=b.exe",
	  "a.exe|b.exe", "an end that is missing" },
	{ MIXED "b\n\n--c\n" FILE_A, "", "another boundary" },
	{ MIXED "b\n\n --b\n" FILE_A, "", "a blank before it" },
	{ MIXED "b\n\n--b  \t\n" FILE_A, "a.exe", "blanks behind it" },
	{ MIXED "b\n\n--bc\n" FILE_A, "a.exe", "some look at its beginning" },
	{ MIXED "b\n--b\n" FILE_A, "a.exe", "no empty line before it" },
	{ MIXED "b\n\n--b\nA: b\n--b\n" FILE_A, "a.exe", "in a header" },
	{ MIXED "b\n\n\r--b\r" FILE_A, "a.exe", "CR" },
	{ MIXED "\"b c\"\n\n--b c\n" FILE_A, "a.exe", "in quotes" },
	{ MIXED "b c\n\n--b\n" FILE_A, "a.exe", "a blank may be its end" },
	{ MIXED "b c\n\n--b c\n" FILE_A, "a.exe", "or not" },
	{ MIXED "\"b\\\"c\"\n\n--b\"c\n" FILE_A, "a.exe", "backslashes" },
	{ MIXED "b(c)\n\n--b(c)\n" FILE_A, "a.exe", "no comment" },
	{ MIXED "b(c)\n\n--b\n" FILE_A, "a.exe", "or one" },
	{ MIXED "b; boundary=c\n\n--b\n\nx\n--c\n" FILE_A, "a.exe", "two" },
	{ TYPE "multipart/mixed;\n\tboundary\n =\n \"b\"\n\n--b\n" FILE_A,
	  "a.exe", "folds" },
	{ TYPE "multipart/mixed\n\n--b\n" FILE_A, "a.exe", "none: any" },
	{ TYPE "multipart/mixed; boundary*=b\n\n--b\n" FILE_A, "a.exe",
	  "in a form that is not read" },
	{ MIXED "b; boundary*0=c; boundary*1=d\n\n--cd\n" FILE_A, "a.exe",
	  "another one in that form" },
	{ MIXED "b; boundary*=us-ascii''%63\n\n--c\n" FILE_A, "a.exe",
	  "and encoded" },
	{ TYPE "multipart/mixed boundary=c; boundary=b\n\n--c\n" FILE_A,
	  "a.exe", "without a semicolon" },
	{ MIXED "b; \v\xa0"
		"boundary=c\n\n--c\n" FILE_A,
	  "a.exe", "behind what may be a blank" },
	{ MIXED "\"=?us-ascii?Q?b?=\"\n\n--b\n" FILE_A, "a.exe",
	  "as words of RFC 2047" },
	{ MIXED "\xa0"
		"b\n\n--b\n" FILE_A,
	  "a.exe", "beyond ASCII" },
	{ TYPE "text/plain; boundary=b\n\n--b\n" FILE_A, "a.exe",
	  "any type with a boundary" },
	{ TYPE "text/plain\n" MIXED "b\n\n--b\n" FILE_A, "a.exe", "two types" },
	{ MIXED "b\n\n--b\n" MIXED "c\n\n--c\n" FILE_A "--c--\n--b\n" PLACE
		"name=b\n",
	  "a.exe|b", "parts of parts" },
	{ MIXED "b\n\n--b\n" MIXED "c\n\n--c\n\nx\n--b\n" FILE_A, "a.exe",
	  "the inner end is missing" },
	{ MIXED "b\n\n--b\n" MIXED "b\n\n--b\n" FILE_A, "a.exe",
	  "the same boundary" },
	{ MIXED "b\n\n--b\n" MIXED "bb\n\n--bb\n\nx\n--b\n" FILE_A, "a.exe",
	  "a longer one" },
	{ MIXED "b\n\n--b\n" MIXED "c\n\n--c--\n--c\n" FILE_A, "a.exe",
	  "an inner part behind the end" },

	{ TYPE "multipart/digest; boundary=b\n\n--b\n\n" FILE_A, "a.exe",
	  "a digest's parts are messages" },
	{ TYPE "multipart/digest; boundary=b\n\n--b\n" CODED
	       "quoted-printable\n\nSubject: x\n" PLACE
	       "filename=3Da=2Eexe\n\n",
	  "3Da=2Eexe|a.exe", "encoded, too" },
	{ TYPE "multipart/digest; boundary=b\n\n--b\n" TYPE
	       "text/plain\n\n" FILE_A,
	  "", "but for those with a type" },
	{ TYPE "multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\n" FILE_A,
	  "", "and what is the text of one" },
	{ "Content-Name: a.exe\n\n", "a.exe", "a name alone" },
	{ "X-Sun-Data-Name: a\nContent-Description: =?us-ascii?Q?b?=\n\n",
	  "a|b", "and others" },
	{ "Content-Disposition: filename=a.exe\n\n", "a.exe",
	  "a name where there should be a word" },
	{ TYPE "image/x; \v\xa0"
	       "name=a.exe\n\n",
	  "a.exe", "behind what may be a blank" },
	{ TYPE "message/rfc822\n\n" FILE_A, "a.exe", "an attached message" },
	{ TYPE "message/rfc822\n\nSubject: x\n\n" FILE_A, "",
	  "with a text of its own" },
	{ TYPE "message/rfc822; name=b.eml\n\n" MIXED "b\n\n--b\n" FILE_A,
	  "b.eml|a.exe", "with parts" },
	{ TYPE "message/rfc822\n" CODED "base64\n\n" FILE_A, "a.exe",
	  "not encoded, though it says so" },
	{ TYPE "message/rfc822\n" CODED "quoted-printable\n\n"
	       "Content-Disp=\nosition: x; filename=3Dx; filename=a=2Eexe\n\n",
	  "x|a.exe", "in quoted-printable" },

	{ "A: b\n\nbegin 644 a.exe\n#35H \n`\nend\n", "a.exe", "uuencode" },
	{ "A: b\n\nx\nbegin 0755  a b.exe\n#35H\n`\nend\n", "a b.exe",
	  "with blanks" },
	{ "A: b\n\nbegin 644 a.exe\nand so on\n", "", "prose" },
	{ "A: b\n\nbegin 644 a.exe\n+ ALL AT ONCE, PLEASE\n", "", "capitals" },
	{ "A: b\n\nbegin now, with a.exe\n#35H\n", "", "no mode" },
	{ "A: b\n\nbegin-base64 644 a.exe\nTVqQAA==\n====\n", "a.exe",
	  "uuencode in base64" },
	{ "A: b\n\nbegin 644 a\n#35H \n`\nend\nbegin 644 b\n#35H \n`\nend\n",
	  "a|b", "two files" },
	{ TYPE "image/x\n\nbegin 644 a.exe\n#35H \n`\nend\n", "",
	  "not in what is no text" },
	{ TYPE "text/html\n" CODED "quoted-printable\n\n"
	       "begin 644 a=2Eexe\n#35H=20\n`\nend\n",
	  "a.exe", "in an encoded text" },
};

static void test_messages(void)
{
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
		const char *message = messages[i].message;

		ok(is_the_same_in_pieces(message, strlen(message)),
		   "however it is cut");
		if (!is_text(names.data, messages[i].names, messages[i].what))
			tap_show("message:", message, strlen(message));
	}
}

/* ---- encoded messages, in messages ---- */

static void append_base64(struct str *into, const struct str *text)
{
	struct str encoded = { 0 };

	base64_encode(&encoded, text->data, text->length);
	for (size_t at = 0; at < encoded.length; at += 60) {
		str_append(into, encoded.data + at,
			   encoded.length - at < 60 ? encoded.length - at : 60);
		str_append_byte(into, '\n');
	}
	str_free(&encoded);
}

/* The message, attached to another one. */
static void wrap(struct str *message, const char *type)
{
	struct str outer = { 0 };

	str_append_text(&outer, "Subject: x\n" MIXED "=_b\n\n--=_b\n" TYPE);
	str_append_text(&outer, type);
	str_append_text(&outer, "\n" CODED "Base64\n\n");
	append_base64(&outer, message);
	str_append_text(&outer, "\n--=_b--\n");
	str_free(message);
	*message = outer;
}

static void test_layers(void)
{
	for (int depth = 1; depth < MIME_LAYERS + 1; depth++) {
		struct str message = { 0 };

		str_append_text(&message, MIXED "b\n\n--b\n" FILE_A "--b--\n");
		for (int i = 0; i < depth; i++)
			wrap(&message, "message/rfc822");
		ok(is_the_same_in_pieces(message.data, message.length),
		   "however it is cut");
		is_text(names.data, depth < MIME_LAYERS ? "a.exe" : "",
			"encoded as a whole, again and again");
		ok(walk.is_too_deep == (depth == MIME_LAYERS),
		   "which has an end");
		str_free(&message);
	}
}

static void test_encoded_parts(void)
{
	struct str message = { 0 };

	str_append_text(&message, "--b\n" FILE_A "--b--\n");
	wrap(&message, "multipart/mixed; boundary=b");
	is_text(names_of(message.data), "a.exe",
		"parts that are encoded, against the rules");
	str_clear(&message);
	str_append_text(&message, "x\nbegin 644 a.exe\n#35J0\n`\nend\n");
	wrap(&message, "text/plain");
	is_text(names_of(message.data), "a.exe", "uuencode in base64");
	ok(strstr(starts.data, "[MZ\x90]") != NULL, "its first bytes");
	str_free(&message);
}

/* ---- beginnings ---- */

static const struct {
	const char *message, *start, *what;
} beginnings[] = {
	{ "A: b\n\nMZ\n", "[MZ\n]", "a text" },
	{ "\n\n\r\n\nMZ", "[MZ]", "behind empty lines" },
	{ "A: b\n" CODED "base64\n\nTVqQAA==\n", "[MZ\x90", "base64" },
	{ "A: b\n" CODED "base64\n\nTV\n\n q Q\r\nAA==\n", "[MZ\x90",
	  "in small pieces" },
	{ "A: b\n" CODED "(x) BASE64 \n\nTVqQAA==\n", "[MZ\x90",
	  "comments and capitals" },
	{ "A: b\n" CODED "7bit\n" CODED "base64\n\nTVqQAA==\n", "[MZ\x90",
	  "two encodings" },
	{ "A: b\n" CODED "base64\n\nTVqQAA==\n", "[TVqQAA==\n]",
	  "and as it stands there" },
	{ "A: b\n" CODED "quoted-printable\n\n=4D=5a=\n=90=00\n", "[MZ\x90",
	  "quoted-printable" },
	{ "A: b\n" CODED "quoted-printable\n\nM= \nZ=zz==41\n", "[MZ=zz=A",
	  "with mistakes" },
	{ "A: b\n\nbegin 644 a\n#35J0\n`\nend\n", "[MZ\x90]", "uuencode" },
	{ TYPE "x/y\n" CODED "x-uuencode\n\nbegin 644 a\n#35J0\n`\nend\n",
	  "[MZ\x90]", "as an encoding" },
	{ MIXED "b\n\n--b\n" CODED "base64\n\nTVqQ\n--b--\n", "[MZ\x90]",
	  "a part" },
	{ MIXED "_\n\n--_\n" CODED "base64\n\nTV\n--_.\nqQ\n--_--\n",
	  "[MZ\x90]", "what is no boundary does not end it" },
	{ MIXED "b\n\n--b\n\n--b\n" CODED "base64\n\nTVqQ\n", "[MZ\x90]",
	  "a part without an end" },
	{ TYPE "message/rfc822\n\n" CODED "base64\n\nTVqQ\n", "[MZ\x90]",
	  "of an attached message" },
};

static void test_beginnings(void)
{
	for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
		const char *message = beginnings[i].message;

		ok(is_the_same_in_pieces(message, strlen(message)),
		   "however it is cut");
		if (ok(memmem(starts.data, starts.length, beginnings[i].start,
			      strlen(beginnings[i].start)) != NULL,
		       beginnings[i].what))
			continue;
		tap_show("message:", message, strlen(message));
		tap_show("starts:", starts.data, starts.length);
	}
}

/* ---- lengths ---- */

static void append_many(struct str *message, const char *text, size_t count)
{
	while (count-- > 0) str_append_text(message, text);
}

static void test_lengths(void)
{
	struct str message = { 0 };

	str_append_text(&message, PLACE "x=\"");
	append_many(&message, "x", 100000);
	str_append_text(&message, "\"; filename=a.exe\n\n");
	is_text(names_of(message.data), "a.exe", "behind a long parameter");
	ok(is_the_same_in_pieces(message.data + 90000, 9000), "in pieces");

	str_clear(&message);
	str_append_text(&message, PLACE);
	append_many(&message, "x=y;\n ", 10000);
	str_append_text(&message, "filename=a.exe\n\n");
	is_text(names_of(message.data), "a.exe", "behind many");

	str_clear(&message);
	str_append_text(&message, PLACE "filename=\"");
	append_many(&message, "x", 5000);
	str_append_text(&message, ".exe\"\n\n");
	names_of(message.data);
	ok(names.length > 500 && names.length <= MIME_NAME &&
		   strcmp(names.data + names.length - 4, ".exe") == 0,
	   "the end of a long name");

	str_clear(&message);
	str_append_text(&message, PLACE "filename*9999=.exe");
	for (unsigned i = 0; i < 2 * MIME_NAME_PIECES; i++) {
		str_append_text(&message, ";filename*");
		str_append_number(&message, i);
		str_append_text(&message, "=123456789");
	}
	str_append_text(&message, ";filename*9999=.exe\n\n");
	names_of(message.data);
	ok(strstr(names.data, "9.exe") != NULL, "many pieces");
	ok(walk.has_cut_name, "too many");

	str_clear(&message);
	str_append_text(&message, PLACE "filename*00=a");
	for (unsigned i = 1; i < MIME_NAME_PIECES - 1; i++) {
		str_append_text(&message, ";filename*00000000000000000000");
		str_append_number(&message, i);
		str_append_text(&message, "=b");
	}
	str_append_text(&message, ";filename*63=.exe\n\n");
	names_of(message.data);
	ok(strstr(names.data, "bbb.exe") != NULL && !walk.has_cut_name,
	   "as many as there may be, with zeros before the numbers");
	str_clear(&message);
	str_append_text(&message, PLACE);
	for (unsigned i = 2 * MIME_NAME_PIECES; i-- > 0;) {
		str_append_text(&message, ";filename*");
		str_append_number(&message, i);
		str_append_text(&message, i ? "=e" : "=a.\n\n");
	}
	names_of(message.data);
	ok(walk.has_cut_name, "too many, backwards");
	names_of(PLACE "filename*10000=a; filename*10001=.exe\n\n");
	ok(walk.has_cut_name, "a number that is too large");
	names_of(PLACE "filename*0=a; filename*1=.exe\n\n");
	ok(!walk.has_cut_name, "few");

	str_clear(&message);
	str_append_text(&message, MIXED "\"");
	append_many(&message, "123456789-", 24);
	str_append_text(&message, "\"\n\n--");
	append_many(&message, "123456789-", 24);
	str_append_text(&message, "\n" FILE_A);
	is_text(names_of(message.data), "a.exe", "a boundary of 240 bytes");
	str_clear(&message);
	str_append_text(&message, MIXED "\"");
	append_many(&message, "123456789-", 400);
	str_append_text(&message, "\"\n\n--");
	append_many(&message, "123456789-", 400);
	str_append_text(&message, "\n" FILE_A);
	is_text(names_of(message.data), "a.exe", "of 4,000");
	str_free(&message);
}

static void test_depth(void)
{
	struct str message = { 0 };
	bool is_found = true;

	for (unsigned i = 0; i < 4 * MIME_BOUNDARIES; i++) {
		str_append_text(&message, MIXED "b");
		str_append_number(&message, i + 100);
		str_append_text(&message, "\n\n--b");
		str_append_number(&message, i + 100);
		str_append_text(&message, "\n");
	}
	for (unsigned i = 4 * MIME_BOUNDARIES; i-- > 0;) {
		size_t length = message.length;

		str_append_text(&message, "\nx\n--b");
		str_append_number(&message, i + 100);
		str_append_text(&message, "\n" FILE_A);
		if (strcmp(names_of(message.data), "a.exe") != 0)
			is_found = false;
		message.length = length;
	}
	ok(is_found, "another part of each of many parts");
	ok(!walk.is_too_deep, "that is not too deep");
	str_free(&message);
}

int main(void)
{
	test_parameters();
	test_messages();
	test_layers();
	test_encoded_parts();
	test_beginnings();
	test_lengths();
	test_depth();
	return done_testing();
}
