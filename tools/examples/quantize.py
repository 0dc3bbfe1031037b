"""Quantizes a model from Python through the C interface of the shared library.

    quantize.py LIBRARY MODEL.gguf OUT.gguf TYPE [MODEL.imatrix]
"""

import ctypes
import json
import sys


class Error(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("code", ctypes.c_int32), ("exit_status", ctypes.c_int32)]
    _fields_ += [(name, ctypes.c_char_p) for name in ("name", "message", "file", "tensor", "cure")]


class Progress(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t)]
    _fields_ += [(name, ctypes.c_uint64) for name in ("input_bytes_done", "input_bytes", "weights")]
    _fields_ += [("elapsed_s", ctypes.c_double)]


class Tensor(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t)]
    _fields_ += [(name, ctypes.c_char_p) for name in ("name", "source", "type")]
    _fields_ += [(name, ctypes.c_uint64) for name in ("source_bytes", "bytes", "index", "count")]


class Option(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("name", ctypes.c_char_p)]
    _fields_ += [(name, ctypes.c_int32) for name in ("kind", "functions", "repeats", "required")]
    _fields_ += [
        (name, ctypes.c_char_p)
        for name in ("value", "default_value", "help", "topic", "llama_cpp", "ik_llama_cpp")
    ]


OnProgress = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Progress), ctypes.c_void_p)
OnNote = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_void_p)
OnTensor = ctypes.CFUNCTYPE(None, ctypes.POINTER(Tensor), ctypes.c_void_p)


class SluiceError(Exception):
    def __init__(self, error):
        super().__init__(error.message.decode())
        self.name = error.name.decode()
        self.exit_status = error.exit_status
        self.tensor = error.tensor.decode()


class Sluice:
    """One set of options, and what can be done with it. Results are what the JSON holds."""

    def __init__(self, library, **options):
        """Names of options with _ for -, as in split_max_size; True and False for flags."""
        self.library = ctypes.CDLL(library)
        for name, result in (
            ("sluice_version", ctypes.c_char_p),
            ("sluice_options_new", ctypes.c_void_p),
            ("sluice_observer_new", ctypes.c_void_p),
            ("sluice_option_count", ctypes.c_size_t),
            ("sluice_option_at", ctypes.POINTER(Option)),
        ):
            getattr(self.library, name).restype = result
        for name in ("options", "observer", "error"):
            free = getattr(self.library, f"sluice_{name}_free")
            free.argtypes, free.restype = [ctypes.c_void_p], None
        self.library.sluice_option_at.argtypes = [ctypes.c_size_t]
        self.options = ctypes.c_void_p(self.library.sluice_options_new())
        for name, value in options.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            name = name.replace("_", "-").encode()
            self.call(self.library.sluice_options_set, name, text.encode())

    def __del__(self):
        self.library.sluice_options_free(self.options)

    def call(self, function, *arguments):
        error = ctypes.POINTER(Error)()
        function(self.options, *arguments, ctypes.byref(error))
        if error:
            raised = SluiceError(error.contents)
            self.library.sluice_error_free(error)
            raise raised

    def result(self, function, *arguments):
        text = ctypes.c_char_p()
        try:
            self.call(function, *arguments, ctypes.byref(text))
            return json.loads(text.value)
        finally:
            self.library.sluice_free(text)

    def version(self):
        return self.library.sluice_version().decode()

    def known_options(self, function=1):
        """Names with what to say of them: of 1 quantize, 2 plan, 4 verify, 8 compare."""
        rows = map(self.library.sluice_option_at, range(self.library.sluice_option_count()))
        told = (row.contents for row in rows if row.contents.functions & function)
        return {row.name.decode(): row.help.decode() for row in told}

    def plan(self):
        return self.result(self.library.sluice_plan)

    def quantize(self, on_progress=lambda done: False, on_note=print, on_tensor=lambda name: None):
        """`on_progress` gets the share that is done, and may return True to stop."""
        return self.observed(self.library.sluice_quantize, on_progress, on_note, on_tensor)

    def verify(self, on_progress=lambda done: False, on_note=print):
        return self.observed(self.library.sluice_verify, on_progress, on_note, None)

    def compare(self, on_progress=lambda done: False, on_note=print):
        return self.observed(self.library.sluice_compare, on_progress, on_note, None)

    def observed(self, function, on_progress, on_note, on_tensor):
        def progress(now, _):
            return int(bool(on_progress(now.contents.input_bytes_done / now.contents.input_bytes)))

        calls = {
            "progress": OnProgress(progress),
            "note": OnNote(lambda text, _: on_note(text.decode())),
        }
        if on_tensor:
            calls["tensor"] = OnTensor(lambda tensor, _: on_tensor(tensor.contents.name.decode()))
        observer = ctypes.c_void_p(self.library.sluice_observer_new())
        try:
            for name, call in calls.items():
                getattr(self.library, f"sluice_observer_on_{name}")(observer, call, None)
            return self.result(function, observer)
        finally:
            self.library.sluice_observer_free(observer)


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    library, *values = sys.argv[1:]
    sluice = Sluice(library, **dict(zip(("input", "output", "type", "imatrix"), values)))
    print(f"sluice {sluice.version()}: {sluice.plan()['output_bytes']} bytes to write")
    sluice.quantize(lambda done: print(f"{100 * done:.0f} %", file=sys.stderr))
