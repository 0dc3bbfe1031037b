#include "io/http/url.h"

#include <gtest/gtest.h>

#include "io/http/environment.h"
#include "sluice/error.h"

namespace sluice::io {
namespace {

TEST(Url, PartsOfAUrl) {
  const Url url = parse_url("HTTPS://me%40home:pa:ss@Example.ORG:8443/a%20b/c?x=1&y=2#part");
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.user, "me@home:pa:ss");
  EXPECT_EQ(url.host, "example.org");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.path, "/a%20b/c");
  EXPECT_EQ(url.query, "?x=1&y=2");
  EXPECT_EQ(url.origin(), "https://example.org:8443");
  EXPECT_EQ(url.text(), "https://example.org:8443/a%20b/c?x=1&y=2");
}

TEST(Url, DefaultsAndAddresses) {
  EXPECT_EQ(parse_url("https://h").text(), "https://h/");
  EXPECT_EQ(parse_url("http://h:80?q").text(), "http://h/?q");
  EXPECT_EQ(parse_url("https://h:443/x").authority(), "h");
  EXPECT_EQ(parse_url("https://[::1]:99/x").host, "::1");
  EXPECT_EQ(parse_url("https://[::1]:99/x").authority(), "[::1]:99");
  EXPECT_EQ(parse_url("https://h/a/../../b/./c/..").path, "/b/");
}

TEST(Url, NothingGetsIntoARequestThatDoesNotBelongThere) {
  EXPECT_EQ(parse_url("https://h/a b\r\nX: y?\n\xc3\xa9").text(),
            "https://h/a%20b%0D%0AX:%20y?%0A%C3%A9");
  for (const char* bad :
       {"https://", "https:///x", "https://h\r\n/x", "https://h:0/", "https://h:65536/",
        "https://h:x/", "https://[::1/", "https://[::1]x/", "ftp://h/", "hf://a/b", "h"}) {
    EXPECT_THROW(parse_url(bad), Error) << bad;
  }
}

TEST(Url, References) {
  const Url base = parse_url("https://u:p@h/a/b?q=1");
  EXPECT_EQ(resolve(base, "https://x/y").text(), "https://x/y");
  EXPECT_EQ(resolve(base, "https://x/y").user, "");
  EXPECT_EQ(resolve(base, "//x:1/y?z=https://w").text(), "https://x:1/y?z=https://w");
  EXPECT_EQ(resolve(base, "/y?z").text(), "https://h/y?z");
  EXPECT_EQ(resolve(base, "y/../z").text(), "https://h/a/z");
  EXPECT_EQ(resolve(base, "?z=2").text(), "https://h/a/b?z=2");
  EXPECT_EQ(resolve(base, "y").user, "u:p");
}

TEST(Url, SecretsAreMasked) {
  EXPECT_EQ(masked("https://u:p@h/f?X-Sig=abc&b=2&c"), "https://***@h/f?X-Sig=***&b=***&c");
  EXPECT_EQ(masked("socks5://u:p@h"), "socks5://***@h");
  EXPECT_EQ(masked("https://u:p@ss@h/a@b"), "https://***@h/a@b");
  EXPECT_EQ(masked("hf://a/b@main/c.gguf"), "hf://a/b@main/c.gguf");
  EXPECT_EQ(masked("folder/a@b?c=d.gguf"), "folder/a@b?c=d.gguf");
}

TEST(Url, Siblings) {
  EXPECT_EQ(sibling("https://h/a/b.json?download=true", "c"), "https://h/a/c?download=true");
  EXPECT_EQ(sibling("hf://o/n@r/b.json", "c"), "hf://o/n@r/c");
}

Environment of(std::map<std::string, std::string> values) {
  values.try_emplace("HF_HOME", "/nowhere");
  return read_environment([values](const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  });
}

TEST(Environment, Proxies) {
  const Environment some = of(
      {{"https_proxy", "http://u:p@proxy:3128"}, {"NO_PROXY", "localhost, .inner.org,10.0.0.1"}});
  EXPECT_EQ(some.proxy_for(parse_url("https://h/"))->origin(), "http://proxy:3128");
  EXPECT_EQ(some.proxy_for(parse_url("https://h/"))->user, "u:p");
  for (const char* direct : {"http://h/", "https://localhost/", "https://a.inner.org/",
                             "https://inner.org/", "https://10.0.0.1/"}) {
    EXPECT_FALSE(some.proxy_for(parse_url(direct))) << direct;
  }
  EXPECT_TRUE(some.proxy_for(parse_url("https://notinner.org/")));
  EXPECT_TRUE(of({{"ALL_PROXY", "p:1"}}).proxy_for(parse_url("http://h/")));
  EXPECT_FALSE(of({{"HTTP_PROXY", "p:1"}}).proxy_for(parse_url("http://h/")));
  EXPECT_THROW(of({{"ALL_PROXY", "socks5://p:1"}}).proxy_for(parse_url("http://h/")), Error);
}

TEST(Environment, Hub) {
  EXPECT_EQ(of({}).hub.origin(), "https://huggingface.co");
  const Environment other = of({{"HF_ENDPOINT", "https://mirror.org/hub/"},
                                {"HF_TOKEN", " hf_abc\n"},
                                {"HF_HUB_OFFLINE", "TRUE"},
                                {"HF_HUB_DOWNLOAD_TIMEOUT", "30"}});
  EXPECT_EQ(other.hub.text(), "https://mirror.org/hub");
  EXPECT_EQ(other.token, "hf_abc");
  EXPECT_TRUE(other.offline);
  EXPECT_EQ(other.stall_s, 30);
  EXPECT_THROW(of({{"HF_TOKEN", "a\r\nX: y"}}), Error);
}

}  // namespace
}  // namespace sluice::io
