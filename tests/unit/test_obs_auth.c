/* The authentication of obs-websocket 5; the expected texts are Python's hashlib's and base64's, the first is the protocol's own example. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "procs/obs/auth.h"

static const struct {
	const char *password, *salt, *challenge, *authentication;
} vector[] = {
	{"supersecretpassword", "lM1GncleQOaCu9lT1yeUZhFYnqhsLLP1G5lAGo3ixaI=",
	 "+IxH4CnCiqpX1rM9scsNynZzbOe4KhDeYcTNS3PDaeY=", "1Ct943GAT+6YQUUX47Ia/ncufilbe6+oD6lY+5kaCu4="},
	{"secret123", "PZVbYpvAnZut2SS6JNJytDm9", "ztTBnnuqrqaKDzRM3xcVdbYm", "oyTDlMEZ7jDsM+DGJicfP+LC0o93ZQ+oEUJyukpwVf4="},
	{"", "salt", "challenge", "5fmcrqR0I7snYOpUX/Ac22UdSA81TwCyHqCr6eFQyyI="},
	{"p\xc3\xa4ssw\xc3\xb6rd \xe2\x9c\x93", "c2FsdA==", "Y2hhbGxlbmdl", "imW1ok0gU7mAnFS/WPapP2iXSa4XhpjRIjlJbp8L42w="},
	{"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	 "ssssssssssssssssssssssssssssssssssssssssssss", "cccccccccccccccccccccccccccccccccccccccccccc",
	 "Q5/yN1AsN0WQjF++lBXNlbdR/J9zVmaF85eLrcU5YfE="},
};

START_TEST(the_answer_is_what_the_protocol_says)
{
	char out[OBS_AUTH_SIZE];
	ck_assert_int_eq(obs_auth(vector[_i].password, vector[_i].salt, vector[_i].challenge, out, sizeof(out)), 0);
	ck_assert_str_eq(out, vector[_i].authentication);
}
END_TEST

START_TEST(another_password_salt_or_challenge_is_another_answer)
{
	char out[OBS_AUTH_SIZE];
	obs_auth("secret124", vector[1].salt, vector[1].challenge, out, sizeof(out));
	ck_assert_str_ne(out, vector[1].authentication);
	obs_auth("secret123", vector[0].salt, vector[1].challenge, out, sizeof(out));
	ck_assert_str_ne(out, vector[1].authentication);
	obs_auth("secret123", vector[1].salt, vector[0].challenge, out, sizeof(out));
	ck_assert_str_ne(out, vector[1].authentication);
}
END_TEST

START_TEST(a_place_that_is_too_small_is_refused_and_left_empty)
{
	char out[OBS_AUTH_SIZE] = "left over";
	ck_assert_int_eq(obs_auth("a", "b", "c", out, OBS_AUTH_SIZE - 1), -ENOSPC);
	ck_assert_str_eq(out, "");
	ck_assert_int_eq(obs_auth("a", "b", "c", NULL, 0), -ENOSPC);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("obs auth");
	TCase *t = tcase_create("auth");
	tcase_add_loop_test(t, the_answer_is_what_the_protocol_says, 0, sizeof(vector) / sizeof(*vector));
	tcase_add_test(t, another_password_salt_or_challenge_is_another_answer);
	tcase_add_test(t, a_place_that_is_too_small_is_refused_and_left_empty);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
