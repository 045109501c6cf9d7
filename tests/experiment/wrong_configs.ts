/**
 * A config file, and what is said where a piece of it is replaced.
 *
 * @module
 */

/** A config file without errors. */
export const CONFIG = `[paths]
path_to_results = out
[net]
net_name = Marmoset_Normalized
rnn_size = 55
nr_neurons = 4
rand_partition = True
random_w = False
[trainvalidate]
epochs = 500
iterations = 5
init = default
freeze_layer = False
remap_w = True
[trialparams]
trial_params = {"task_name":"nback_mem",
  "nr_of_trials":500, "trial_length":5,
  "train_size":0.8}
[combosparams]
combos_params = {"lr":[0.0001],
  "nonlinearity":["relu"],
  "optimizer":["Adam"],
  "n_back":[2,3]}
[run]
seed = 1
batch_size = 128
store_every_epoch = 0
`;

/** What is replaced, by what, and the sentence after `Cannot read "c.ini"`. */
export const WRONG_CONFIGS:
  readonly (readonly [from: string, to: string, rest: string])[] = [
    // Lists, and what goes with them.
    [
      "Marmoset_Normalized",
      "[]",
      ", line 4: [net] net_name is a list without a value",
    ],
    [
      "Marmoset_Normalized",
      "['A', 'A']",
      ", line 4: [net] net_name has 'A' twice",
    ],
    [
      "Marmoset_Normalized",
      "['A', 'a']",
      ': two arms would have the results folder "a"; train them by configs of their own',
    ],
    [
      "Marmoset_Normalized",
      "['A', '../b']",
      ', line 4: [net] net_name must be the name of a connectome, of letters, digits, "_", "-", "." and spaces, found "../b"',
    ],
    [
      "random_w = False",
      "random_w = False\nnull_model = [none, degrees]",
      ", line 9: [net] null_model is no Python list of names in quotes: found the name none (did you mean None?)",
    ],
    [
      "random_w = False",
      "random_w = False\nnull_model = ('none', 3)",
      ", line 9: [net] null_model must be a list of names in quotes, found 3",
    ],
    [
      "random_w = False",
      "random_w = True\nnull_model = ['none', 'degrees']",
      ", line 8: [net] random_w = True is null_model = permute, but null_model is a list; set random_w = False",
    ],
    [
      "rnn_size = 55",
      "rnn_size = [55, 29]",
      ", line 5: [net] rnn_size lists 2 numbers, and net_name is no list: give one number, or one for each connectome",
    ],
    [
      "random_w = False",
      "random_w = False\nnull_model = ['none', 'degrees']",
      ", line 9: it has 2 arms (bio and degrees), and one experiment is asked for; give [net] net_name and null_model one value each",
    ],
    // What belongs to a shell, or to another dialect.
    [
      "epochs = 500",
      "epochs = 3  # few",
      ', line 10: [trainvalidate] epochs must be a whole number from 1 to 10000000, found "3  # few"; a comment needs a line of its own',
    ],
    ...[
      ["$SCRATCH/res", "$SCRATCH"],
      ["${SCRATCH}/res", "${SCRATCH}"],
      ["/a/$USER", "$USER"],
      ["%%USERPROFILE%%\\res", "%USERPROFILE%"],
    ].map(([path, name]) =>
      [
        "= out",
        `= ${path}`,
        `, line 2: [paths] path_to_results must be a path with the value of ${name} written out, found "${
          path?.replaceAll("%%", "%")
        }"`,
      ] as const
    ),
    ...["~/res", "~bob/res", "~bob", "~"].map((path) =>
      [
        "= out",
        `= ${path}`,
        `, line 2: [paths] path_to_results must be a path that does not begin with "~", found "${path}"`,
      ] as const
    ),
    // Names of sections and keys.
    [
      "[net]",
      "[Nets]",
      ', line 3: there is no section "Nets" (did you mean "net"?); the sections are paths, net, trainvalidate, trialparams, combosparams, pretrainedparams and run',
    ],
    [
      "rnn_size",
      "rnn_sze",
      ', line 5: [net] has no key "rnn_sze" (did you mean "rnn_size"?); its keys are net_name, rnn_size, nr_neurons, rand_partition, random_w, null_model, null_samples, match, shared_init, fresh_network, input_regions, output_regions, target_sparsity, target_sparsity_intrinsic and compatibility',
    ],
    [
      "epochs = 500",
      "seed = 500",
      ', line 10: [trainvalidate] has no key "seed", which belongs in [run]; its keys are epochs, iterations, init, freeze_layer and remap_w',
    ],
    [
      "rnn_size = 55\n",
      "",
      ", line 3: [net] lacks rnn_size, which must be a whole number from 1 to 16777216",
    ],
    [
      "[paths]\npath_to_results = out\n",
      "",
      ": section [paths] is missing, and in it path_to_results, which must be a path",
    ],
    [
      "path_to_results = out\n",
      "",
      ", line 1: [paths] lacks path_to_results, which must be a path",
    ],
    [
      "remap_w = True",
      "remap_w = True\nremap_w = True",
      ', line 15: [trainvalidate] has "remap_w" twice, first on line 14',
    ],
    [
      "path_to_results = out",
      "path_to_results = out\nlatents = download",
      ", line 3: [paths] latents is for pic_latent_mem, but task_name is nback_mem, which shows none",
    ],
    [
      "path_to_results = out",
      "images = i.npy\npath_to_results = out",
      ", line 2: [paths] images is for pic_mem, but task_name is nback_mem, which shows none",
    ],
    // Values.
    [
      "path_to_results = out",
      "path_to_results =",
      ', line 2: [paths] path_to_results must be a path, found ""',
    ],
    [
      "path_to_results = out",
      'path_to_results = "out"',
      ', line 2: [paths] path_to_results must be a path without quotes, found ""out""',
    ],
    [
      "Marmoset_Normalized",
      "../../etc/passwd",
      ', line 4: [net] net_name must be the name of a connectome, of letters, digits, "_", "-", "." and spaces, found "../../etc/passwd"',
    ],
    [
      "rnn_size = 55",
      "rnn_size = 55.0",
      ', line 5: [net] rnn_size must be a whole number from 1 to 16777216, found "55.0"',
    ],
    [
      "rnn_size = 55",
      "rnn_size = 8000000",
      ", line 3: [net] rnn_size × nr_neurons must be at most 16777216 neurons, found 8000000 × 4 = 32000000",
    ],
    [
      "nr_neurons = 4",
      "nr_neurons = 0",
      ', line 6: [net] nr_neurons must be a whole number from 1 to 16777216, found "0"',
    ],
    [
      "rand_partition = True",
      "rand_partition = Maybe",
      ', line 7: [net] rand_partition must be True or False, found "Maybe"',
    ],
    ...["0", "1.5", "-0.1", "nan", "1e-400", "1/2", "1_", "."].map((
      value,
    ): [string, string, string] => [
      "random_w = False",
      `random_w = False\ntarget_sparsity = ${value}`,
      `, line 9: [net] target_sparsity must be a number above 0 and at most 1, found "${value}"`,
    ]),
    [
      "random_w = False",
      "random_w = False\ntarget_sparsity_intrinsic = all",
      ', line 9: [net] target_sparsity_intrinsic must be a number above 0 and at most 1, found "all"',
    ],
    [
      "random_w = False",
      "random_w = False\ntarget_sparsty = 0.5",
      ', line 9: [net] has no key "target_sparsty" (did you mean "target_sparsity"?); its keys are net_name, rnn_size, nr_neurons, rand_partition, random_w, null_model, null_samples, match, shared_init, fresh_network, input_regions, output_regions, target_sparsity, target_sparsity_intrinsic and compatibility',
    ],
    [
      "random_w = False",
      "random_w = False\ncompatibility = orginal",
      ', line 9: [net] compatibility must be described or original, found "orginal" (did you mean "original"?)',
    ],
    [
      "epochs = 500",
      "epochs = 0",
      ', line 10: [trainvalidate] epochs must be a whole number from 1 to 10000000, found "0"',
    ],
    [
      "iterations = 5",
      "iterations = -5",
      ', line 11: [trainvalidate] iterations must be a whole number from 1 to 1000000, found "-5"',
    ],
    [
      "iterations = 5",
      "iterations = 600000",
      ": combinations × iterations must be at most 1000000 runs, found 2 × 600000 = 1200000",
    ],
    [
      "init = default",
      "init = xaver",
      ', line 12: [trainvalidate] init must be default, xavier, he, auto or normal, found "xaver" (did you mean "xavier"?)',
    ],
    [
      "seed = 1",
      "seed = 1.5",
      ', line 25: [run] seed must be a whole number from 0 to 9007199254740991, found "1.5"',
    ],
    [
      "batch_size = 128",
      "batch_size = 0",
      ', line 26: [run] batch_size must be a whole number from 1 to 1000000, found "0"',
    ],
    [
      "store_every_epoch = 0",
      "store_every_epoch = -1",
      ', line 27: [run] store_every_epoch must be a whole number from 0 to 10000000, found "-1"',
    ],
    // trial_params.
    [
      '"nback_mem"',
      '"nback"',
      `, line 16: [trialparams] trial_params: "task_name" must be seq_mem, nback_mem, pic_latent_mem, pic_mem, match_to_sample, context_decision or memory_capacity, found 'nback' (did you mean "nback_mem"?)`,
    ],
    [
      '"task_name":"nback_mem",',
      "",
      ', line 16: [trialparams] trial_params lacks "task_name", which must be seq_mem, nback_mem, pic_latent_mem, pic_mem, match_to_sample, context_decision or memory_capacity',
    ],
    [
      '"task_name"',
      '"taskname"',
      ', line 16: [trialparams] trial_params lacks "task_name" (is "taskname" meant to be it?), which must be seq_mem, nback_mem, pic_latent_mem, pic_mem, match_to_sample, context_decision or memory_capacity',
    ],
    [
      '"nr_of_trials":500',
      '"nr_of_trials":500.0',
      ', line 17: [trialparams] trial_params: "nr_of_trials" must be a whole number from 1 to 10000000, found 500.0',
    ],
    [
      '"nr_of_trials"',
      '"nr_trials"',
      ', line 17: [trialparams] trial_params has the key "nr_trials" (did you mean "nr_of_trials"?), but nback_mem takes task_name, nr_of_trials, train_size and trial_length',
    ],
    [
      '"trial_length":5',
      '"trial_length":5, "rescale":True',
      ', line 17: [trialparams] trial_params has the key "rescale", but nback_mem takes task_name, nr_of_trials, train_size and trial_length',
    ],
    [
      ', "trial_length":5',
      "",
      ', line 16: [trialparams] trial_params lacks "trial_length", which must be a whole number from 2 to 10000',
    ],
    [
      '"trial_length":5',
      '"trial_length":5, "n_back":2',
      ', line 17: [trialparams] trial_params has the key "n_back", which belongs in [combosparams] combos_params, as a list',
    ],
    [
      "0.8",
      "1.0",
      ', line 18: [trialparams] trial_params: "train_size" must be a number above 0 and below 1, found 1.0',
    ],
    [
      "0.8",
      "0.0009",
      ', line 18: [trialparams] trial_params: "train_size" 0.0009 leaves none of the 1000 trials to train: use more trials or another "train_size"',
    ],
    [
      '"nr_of_trials":500, "trial_length":5,\n  "train_size":0.8',
      '"nr_of_trials":10_000_000, "trial_length":5,\n  "train_size":0.99999999999999999',
      ', line 18: [trialparams] trial_params: "train_size" must be a number above 0 and below 1, found 1.0',
    ],
    [
      "0.8}",
      "0.8",
      ', line 16: [trialparams] trial_params is no Python dict: "{" is never closed by "}"',
    ],
    [
      '"trial_length":5',
      '"trial_length":len("abcde")',
      ", line 17: [trialparams] trial_params is no Python dict: found the name len, but text needs quotes and nothing is computed here",
    ],
    [
      '"trial_length":5',
      '"trial_length":5, "trial_length":6',
      ", line 17: [trialparams] trial_params has the key 'trial_length' twice",
    ],
    [
      '"trial_length":5',
      "3:5",
      ", line 17: [trialparams] trial_params needs keys in quotes, found 3",
    ],
    // combos_params.
    [
      '"n_back":[2,3]',
      '"n_back":[2,5]',
      ", line 20: [combosparams] combos_params has the combination (0.0001, 'relu', 'Adam', 5), but n_back 5 needs a trial_length above 5, found 5",
    ],
    [
      '"n_back":[2,3]',
      '"n_back":[]',
      ', line 23: [combosparams] combos_params: "n_back" must be a list with a value at least, found []',
    ],
    [
      '"n_back":[2,3]',
      '"n_back":3',
      ', line 23: [combosparams] combos_params: "n_back" must be a list, found 3; a single value is a list too, [3]',
    ],
    [
      '["Adam"]',
      '"Adam"',
      `, line 22: [combosparams] combos_params: "optimizer" must be a list, found 'Adam'; a single value is a list too, ['Adam']`,
    ],
    [
      '"n_back":[2,3]',
      '"n_back":[2,3.0]',
      ', line 23: [combosparams] combos_params: "n_back" must be a whole number from 1 to 9999, found 3.0',
    ],
    [
      '"n_back":[2,3]',
      '"n_back":[2,True]',
      ', line 23: [combosparams] combos_params: "n_back" must be a whole number from 1 to 9999, found True',
    ],
    [
      '"n_back":[2,3]',
      '"n_back":[2,2]',
      ', line 23: [combosparams] combos_params: "n_back" has 2 twice',
    ],
    [
      '"n_back":[2,3]',
      '"nback":[2,3]',
      ', line 23: [combosparams] combos_params has the key "nback" (did you mean "n_back"?), but nback_mem takes lr, nonlinearity, optimizer and n_back',
    ],
    [
      ',\n  "n_back":[2,3]',
      "",
      ', line 20: [combosparams] combos_params lacks "n_back", which must be a list, each value a whole number from 1 to 9999',
    ],
    [
      '"n_back":[2,3]',
      '"n_back":[2], "trial_length":[5]',
      ', line 23: [combosparams] combos_params has the key "trial_length", which belongs in [trialparams] trial_params, with one value',
    ],
    [
      "[0.0001]",
      "[1e-4, 0.0001]",
      ', line 20: [combosparams] combos_params: "lr" has 0.0001 twice',
    ],
    [
      "[0.0001]",
      "[-1e-4]",
      ', line 20: [combosparams] combos_params: "lr" must be a finite number above 0, found -0.0001',
    ],
    [
      "[0.0001]",
      "[1e400]",
      ', line 20: [combosparams] combos_params: "lr" must be a finite number above 0, found inf',
    ],
    [
      "[0.0001]",
      "[1e-60]",
      ', line 20: [combosparams] combos_params: "lr" must be a number that single precision can hold, found 1e-60',
    ],
    [
      '"relu"',
      '"Relu"',
      `, line 21: [combosparams] combos_params: "nonlinearity" must be a list of relu, tanh, leaky_relu or sigmoid, found 'Relu' (did you mean "relu"?)`,
    ],
    [
      '"Adam"',
      '"RMSProp"',
      `, line 22: [combosparams] combos_params: "optimizer" must be a list of Adam, RMSprop, SGD, AdamW or Adagrad, found 'RMSProp' (did you mean "RMSprop"?)`,
    ],
  ];
