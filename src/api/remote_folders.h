#pragma once

#include <atomic>
#include <string>

#include "api/model_folder.h"

namespace sluice {

/// What a name of the hub leads to. \throws Error
ModelPlace hub_place(const std::string& name, const std::atomic<bool>* stop);

/// What an https or http URL leads to. \throws Error
ModelPlace web_place(const std::string& url, const std::atomic<bool>* stop);

}  // namespace sluice
