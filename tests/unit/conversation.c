/* What of a conversation is a command, a secret or a message; each one as a
   whole and byte by byte.
   SPDX-License-Identifier: ISC */
#include "mail/conversation.h"

#include <string.h>

#include "tap.h"

enum { TURNS = 12 };

/* What the client sends has a map: '.' for a byte that may be shown, 'x' for a
   secret, 'm' for one of a message, and '|' where it has to wait: the rest is
   sent again after the server's words. */
static const struct {
	const char *name;
	struct {
		const char *server;
		const char *client;
		const char *map;
	} turns[TURNS];
} cases[] = {
	{ "AUTH with an initial response",
	  { { "220 x\r\n", "AUTH PLAIN AbC=\r\n", "...........xxxxxx|" },
	    { "235 ok\r\n", "NOOP\r\n", "......" } } },
	{ "AUTH in two steps",
	  { { "220 x\r\n", "auth login\r\n", "............|" },
	    { "334 VXN\r\n", "dXNlcg==\r\n", "xxxxxxxxxx|" },
	    { "334 UGF\r\n", "cGFzcw==\r\n", "xxxxxxxxxx|" },
	    { "235 ok\r\n", "MAIL FROM:<a@b>\r\n", "................." } } },
	{ "AUTH refused",
	  { { "220 x\r\n", "AUTH LOGIN\r\n", "............|" },
	    { "535 no\r\n", "NOOP\r\n", "......" } } },
	{ "AUTH cancelled",
	  { { "220 x\r\n", "AUTH CRAM-MD5\r\n", "...............|" },
	    { "334 PDE=\r\n", "*\r\n", "xxx|" },
	    { "501 ok\r\n", "NOOP\r\n", "......" } } },
	{ "AUTH behind pipelined commands, with all at once",
	  { { "", "EHLO a\r\nAUTH LOGIN\r\nu\r\np\r\nNOOP\r\n",
	      "....................|" },
	    { "220 x\r\n", "", "|" },
	    { "250-x\r\n250-y\r\n", "", "|" },
	    { "250 z\r\n", "", "|" },
	    { "334 x\r\n", "u\r\np\r\nNOOP\r\n", "xxx|" },
	    { "334 x\r\n", "p\r\nNOOP\r\n", "xxx|" },
	    { "235 x\r\n", "NOOP\r\n", "......" } } },
	{ "AUTH as nobody should write it",
	  { { "220 x\r\n", " \tAuth\tpLaIn  \tAbC\r\n",
	      "...............xxxxx|" },
	    { "500 x\r\n", "AUTH=PLAIN AbC\r\n", "....xxxxxxxxxxxx|" },
	    { "500 x\r\n", "AUTH\rsecret\n",
	      "....."
	      "xxxxxxx|" },
	    { "500 x\r\n", "AUTH PLAIN\rsecret\n", "...........xxxxxxx|" },
	    { "500 x\r\n", "AUTH PLAIN =\r\n", "...........xxx|" },
	    { "500 x\r\n", "AUTH aaaaaaaaaabbbbbbbbbbcc\r\n",
	      ".........................xxxx|" },
	    { "500 x\r\n", "AUTHOR x\r\n", ".........." },
	    { "500 x\r\n", "AUTH\r\n", "......|" } } },
	{ "a 334 that nobody expected, in the middle of a line",
	  { { "220 x\r\n", "XLOGIN", "......" },
	    { "334 x\r\n", "secret\r\n", "xxxxxxxx|" },
	    { "334 x\r\n", "secret\r\n", "xxxxxxxx|" },
	    { "235 x\r\n", "NOOP\r\n", "......" } } },
	{ "half an answer stays a secret to its end",
	  { { "220 x\r\n", "AUTH LOGIN\r\n", "............|" },
	    { "334 x\r\n", "sec", "xxx" },
	    { "421 x\r\n", "ret\r\nNOOP\r\n", "xxxxx......" } } },
	{ "a message",
	  { { "220 x\r\n", "data\r\n", "......|" },
	    { "354 x\r\n", "A: b\r\n\r\n..\r\n.x\r\n", "mmmmmmmmmmmmmmmm" },
	    { "", ".\r\nQUIT\r\n", "mmm......" } } },
	{ "an empty message",
	  { { "220 x\r\n", "DATA\r\n", "......|" },
	    { "354 x\r\n", ".\r\nQUIT\r\n", "mmm......" } } },
	{ "a message sent before it was asked for",
	  { { "220 x\r\n", "DATA\r\na\r\n.\r\nQUIT\r\n", "......|" },
	    { "354 x\r\n", "a\r\n.\r\nQUIT\r\n", "mmmmmm......" } } },
	{ "a message refused",
	  { { "220 x\r\n", "RSET\r\nDATA\r\nNOOP\r\n", "............|" },
	    { "250 x\r\n", "", "|" },
	    { "503 x\r\n", "NOOP\r\n", "......" } } },
	{ "DATA as nobody should write it",
	  { { "220 x\r\n", "  dAtA;x\r\n", "..........|" },
	    { "354 x\r\n", "A\r\n", "mmm" } } },
	{ "dots that end it for some servers only",
	  { { "220 x\r\n", "DATA\r\n", "......|" },
	    { "354 x\r\n", "a\n.\nb\r\n.\nc\n.\r\nd", "mmmmmmmmmmmmmmm" },
	    { "", "\r\n.\r\nNOOP\r\n", "mmmmm......" } } },
	{ "and one that did, as the reply shows",
	  { { "220 x\r\n", "DATA\r\n", "......|" },
	    { "354 x\r\n", "a\n.\n", "mmmm" },
	    { "250 x\r\n", "NOOP\r\n", "......" } } },
	{ "an early reply does not end a message",
	  { { "220 x\r\n", "DATA\r\n", "......|" },
	    { "354 x\r\n", "a\r\n", "mmm" },
	    { "552 x\r\n", "NOOP\r\n.\r\nNOOP\r\n", "mmmmmmmmm......" } } },
	{ "BDAT",
	  { { "220 x\r\n", "BDAT 3\r\nab\nNOOP\r\n", "........mmm......" },
	    { "250 x\r\n", "bdat 2 LAST\r\nabNOOP\r\n",
	      ".............mm......" },
	    { "250 x\r\n", "BDAT 0 LAST\r\nNOOP\r\n",
	      "..................." } } },
	{ "BDAT for a server that knows none",
	  { { "220 x\r\n", "BDAT 300\r\nab", "..........mm" },
	    { "500 x\r\n", "NOOP\r\n", "......" } } },
	{ "BDAT too large to count",
	  { { "220 x\r\n", "BDAT 99999999999999999999999\r\nab\r\n",
	      ".............................."
	      "mmmm" },
	    { "552 x\r\n", "NOOP\r\n", "mmmmmm" } } },
	{ "BDAT without a number",
	  { { "220 x\r\n", "BDAT\r\nBDAT x\r\nBDAT x3\r\n",
	      "......"
	      "........"
	      "........." } } },
	{ "STARTTLS granted",
	  { { "", "EHLO x\r\nSTARTTLS\r\nab", "..................|" },
	    { "220 x\r\n", "", "|" },
	    { "250-x\r\n", "", "|" },
	    { "250 x\r\n", "", "|" },
	    { "220 go\r\n\x16\x03", "\x16\x03 AUTH PLAIN x\n",
	      "................" } } },
	{ "STARTTLS refused",
	  { { "220 x\r\n", "StartTLS\r\n", "..........|" },
	    { "454 x\r\n", "AUTH PLAIN x\r\n", "...........xxx|" } } },
};

/* At most `step` bytes a time. */
static void hear(struct conversation *c, const char *bytes, size_t step,
		 char *map)
{
	size_t length = strlen(bytes), done = 0;

	while (done < length && !conversation_is_waiting(c)) {
		size_t given = length - done < step ? length - done : step;
		struct conversation_piece piece =
			conversation_client(c, bytes + done, given);

		for (size_t i = 0; i < piece.length; i++)
			*map++ =
				piece.part == CONVERSATION_BODY ||
						piece.part == CONVERSATION_CHUNK
					? 'm'
				: i < piece.shown ? '.'
						  : 'x';
		done += piece.length;
	}
	if (conversation_is_waiting(c)) *map++ = '|';
	*map = '\0';
}

static void play(size_t number, size_t step)
{
	struct conversation c;
	char map[256];

	conversation_start(&c, 1);
	for (size_t i = 0; i < TURNS && cases[number].turns[i].server; i++) {
		conversation_server(&c, cases[number].turns[i].server,
				    strlen(cases[number].turns[i].server));
		hear(&c, cases[number].turns[i].client, step, map);
		is_text(map, cases[number].turns[i].map, cases[number].name);
	}
}

/* A server that does not answer. */
static void overrule(void)
{
	struct conversation c;
	char map[256];

	conversation_start(&c, 1);
	hear(&c, "DATA\r\n", 99, map);
	conversation_stop_waiting(&c);
	hear(&c, "a\r\n", 99, map);
	is_text(map, "mmm", "overruled after DATA: a message");
	conversation_server(&c, "503 x\r\n", 7);
	hear(&c, "NOOP\r\n", 99, map);
	is_text(map, "......", "but not when it is refused after all");
	hear(&c, "DATA\r\n", 99, map);
	conversation_stop_waiting(&c);
	conversation_server(&c, "354 x\r\n", 7);
	hear(&c, "a\r\n.\r\nNOOP\r\n", 99, map);
	is_text(map, "mmmmmm......", "a late 354 is no other message");

	conversation_start(&c, 1);
	hear(&c, "AUTH LOGIN\r\n", 99, map);
	conversation_stop_waiting(&c);
	hear(&c, "secret\r\n", 99, map);
	is_text(map, "xxxxxxxx|", "overruled after AUTH: a secret");
	conversation_stop_waiting(&c);
	conversation_server(&c, "235 x\r\n", 7);
	hear(&c, "NOOP\r\n", 99, map);
	is_text(map, "......", "until the reply");

	conversation_start(&c, 1);
	hear(&c, "STARTTLS\r\n", 99, map);
	conversation_stop_waiting(&c);
	hear(&c, "NOOP\r\n", 99, map);
	is_text(map, "......", "overruled after STARTTLS: commands");
}

int main(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		play(i, 1000);
		play(i, 1);
		play(i, 3);
	}
	overrule();
	return done_testing();
}
