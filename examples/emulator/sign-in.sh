#!/bin/sh
# Signs a user in with WeChat, replays the code, lets 31 days pass and is told that the refresh token has expired: a
# test of WeChat's web-page authorization with nothing but curl, to be written in any other language just as well.
#
#   npx nestjs-wechat-auth emulator
#   sh sign-in.sh http://127.0.0.1:3010
#
# It resets the emulator first, and leaves its clock where it turned it. Exit codes: 0 all was as expected, 1 something
# was not, 2 wrong usage.
set -eu

if [ $# -ne 1 ]; then
  echo "usage: $0 <address of the emulator, such as http://127.0.0.1:3010>" >&2
  exit 2
fi
wechat=${1%/}

# request ARGUMENTS...: curl, silent but for errors, past any proxy; it fails if nobody answers in time.
request() {
  curl --silent --show-error --noproxy '*' --max-time 10 "$@"
}

# control PATH BODY: the emulator's control API. An error of it is an error of curl. Since curl 7.82: --json BODY.
control() {
  request --fail --header 'content-type: application/json' --data "$2" "$wechat/emulator/$1"
}

# field NAME: its first value in the JSON on stdin, if that is a text without commas and braces.
field() {
  tr '{},' '\n\n\n' | sed -n "s/^\"$1\":\"\\(.*\\)\"\$/\\1/p" | sed -n 1p
}

# parameter NAME: its value in the query of the address on stdin.
parameter() {
  sed -n "s/.*[?&]$1=\\([^&#]*\\).*/\\1/p"
}

# expect WORDS ANSWER: ends the script unless the answer has the words.
expect() {
  case $2 in
    *"$1"*) printf '  %s\n' "$2" ;;
    *)
      printf '  expected %s, got: %s\n' "$1" "$2" >&2
      exit 1
      ;;
  esac
}

echo "The emulator begins anew, and tells its first app:"
control reset '{}' >/dev/null
overview=$(request --fail "$wechat/emulator")
appid=$(printf '%s\n' "$overview" | field appId)
secret=$(printf '%s\n' "$overview" | field appSecret)
expect wx "$appid"

echo "The authorization page asks the user:"
state=any0state
page=$(request --get "$wechat/connect/oauth2/authorize" \
  --data "appid=$appid" \
  --data-urlencode 'redirect_uri=http://localhost:3000/callback' \
  --data response_type=code \
  --data scope=snsapi_userinfo \
  --data "state=$state" \
  --data forcePopup=true)
uuid=$(printf '%s\n' "$page" | sed -n 's/.*name="uuid" value="\([^"]*\)".*/\1/p')
expect 0 "$uuid"

echo "The user allows it, and the browser is sent back with a code:"
callback=$(request --output /dev/null --write-out '%{redirect_url}' \
  --data "uuid=$uuid" --data allow=1 "$wechat/connect/oauth2/authorize_reply")
expect "state=$state" "$callback"
code=$(printf '%s\n' "$callback" | parameter code)

echo "The code is exchanged for tokens:"
exchange="$wechat/sns/oauth2/access_token?appid=$appid&secret=$secret&code=$code&grant_type=authorization_code"
tokens=$(request "$exchange")
expect '"refresh_token":"' "$tokens"
access_token=$(printf '%s\n' "$tokens" | field access_token)
refresh_token=$(printf '%s\n' "$tokens" | field refresh_token)
openid=$(printf '%s\n' "$tokens" | field openid)

echo "The access token reads the profile:"
profile="$wechat/sns/userinfo?access_token=$access_token&openid=$openid&lang=zh_CN"
expect "\"openid\":\"$openid\"" "$(request "$profile")"

echo "The same code a second time is refused:"
expect '"errcode":40163' "$(request "$exchange")"

echo "31 days later:"
expect '"now":"' "$(control advance-time '{"ms":2678400000}')"

echo "The access token has expired:"
expect '"errcode":42001' "$(request "$profile")"

echo "And so has the refresh token:"
refresh="$wechat/sns/oauth2/refresh_token?appid=$appid&grant_type=refresh_token&refresh_token=$refresh_token"
expect '"errcode":42002' "$(request "$refresh")"

echo "All as expected."
