#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"

namespace sluice {

/// Where a published checkpoint's files are to be had: a folder, or a place on the network.
class ModelFolder {
 public:
  virtual ~ModelFolder() = default;

  /// Its name for people; the last part of it may become the model's name.
  virtual const std::string& path() const = 0;

  /// Names of its files, sorted, those of folders within as "folder/file".
  virtual std::vector<std::string> names() = 0;

  /// Opens a file. \throws Error (input_open)
  virtual io::File open(std::string_view name) = 0;
};

/// A folder on a disk. \throws Error (input_open)
std::unique_ptr<ModelFolder> local_folder(std::string path);

}  // namespace sluice
