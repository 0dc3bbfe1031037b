#pragma once

// What a test of remote files needs beside servers: certificates that are trusted, and an
// environment of its own.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <memory>
#include <optional>
#include <random>
#include <string>

#include "support/certificates.h"
#include "support/temp_folder.h"
#include "support/web_server.h"

namespace sluice::testing_support {

class WebWorld : public testing::Test {
 protected:
  WebWorld() {
    const std::string pem = authority_.pem();
    write_file(folder_ / "ca.pem", std::as_bytes(std::span(pem)));
    for (const char* name :
         {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",
          "NO_PROXY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE",
          "HF_ENDPOINT", "HF_HUB_DOWNLOAD_TIMEOUT", "SSL_CERT_DIR"}) {
      ::unsetenv(name);
    }
    set("HF_HOME", folder_ / "hf");
    set("SSL_CERT_FILE", folder_ / "ca.pem");
  }

  static void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

  /// A server over TLS that is known as localhost or 127.0.0.1.
  std::unique_ptr<WebServer> serve(Handler handler, const std::string& name = "localhost",
                                   Line line = {}) const {
    return std::make_unique<WebServer>(std::move(handler), authority_.certificate(name), 0, line);
  }

  /// Bytes that no other place of the text has, by a fixed seed.
  static std::shared_ptr<const std::string> noise(std::size_t size) {
    std::mt19937 random(7);
    auto text = std::make_shared<std::string>(size, '\0');
    for (char& c : *text) c = static_cast<char>(random());
    return text;
  }

  const TempFolder folder_;
  const Authority authority_;
};

}  // namespace sluice::testing_support
