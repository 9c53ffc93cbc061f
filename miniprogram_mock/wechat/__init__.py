"""A mock WeChat platform, faithful enough to develop, test and demonstrate against, over HTTP only.

Run it: `python -m miniprogram_mock.wechat --port 9797 --callback-url http://127.0.0.1:8000/wechat/callback`
or, from code, `miniprogram_mock.wechat.process.start(...)`.

Four audiences, one process, all state in memory:

- the backend calls the platform APIs (`/sns`, `/cgi-bin`, `/wxa`) as it would call api.weixin.qq.com, and is pushed
  encrypted events;
- a phone, simulated or in a browser, calls `/_phone` for what the WeChat client does (`wx.login`,
  `wx.requestSubscribeMessage`, …);
- a test orders faults and reads what was sent under `/_control`;
- a person watches `/`, where each phone's service notifications appear.

Identities are a pure function of appid and phone number. Time goes through one clock that `/_control/clock` moves.

Options (command line, or `WECHAT_MOCK_…` in the environment) and their demo defaults are the fields of
`settings.Settings`; among them appid `wx5a1e0000000000aa`, secret `demo-mini-secret`, callback token `zhuoluo` and
templates `ZL_TODO` (mini-program) and `ZL_NOTICE` (service account).
"""
